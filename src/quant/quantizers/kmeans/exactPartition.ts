/**
 * The best way to part n sorted points into K clusters: the global optimum of k-means on a line, in O(n) memory and about
 * O(n log n) time whatever K is.
 *
 * 1. A price λ on each cluster takes the number of clusters out of the problem: F(j) = min over i < j of F(i) + cost(i, j) + λ. What is
 *    cheapest at a price and happens to have K clusters is the optimum of K clusters: any other K would cost the same Kλ.
 * 2. F takes one pass. `cost` is concave Monge (i ≤ i' ≤ j ≤ j': cost(i, j) + cost(i', j') ≤ cost(i, j') + cost(i', j)), so once a later start
 *    beats an earlier one it stays ahead: a queue of starts, each with the place from which it leads, found by galloping search
 *    (Hirschberg & Larmore 1987; Galil & Park 1992).
 * 3. The optimal cost is convex in K, so a price for K lies between those of a solution with too many clusters and of one with too few:
 *    the slope of the chord between them. It gives a solution in between, or shows that both ends and K are equally cheap at that price
 *    (points on a lattice do that); then exchanging tails between the two gives one with K (Aggarwal, Schieber & Tokuyama 1994).
 *
 * Large inputs take their first price from a thinned copy of themselves, and rarely need more than two passes.
 * Grønlund, Larsen, Mathiasen, Nielsen, Schneider & Song 2017, "Fast exact k-means, k-medians and Bregman divergence clustering in
 * 1D", arXiv 1701.07204.
 */
import { type SortedPoints, thinned } from "#quant/sortedPoints";

/** Where each cluster starts, then the number of points: clusters + 1 entries. 1 ≤ clusters ≤ points. */
export function exactPartition(points: SortedPoints, clusters: number): Int32Array {
  return solve(points, clusters).starts;
}

interface Solution {
  readonly starts: Int32Array;
  readonly clusters: number;
  /** Without the price. */
  readonly cost: number;
}

function solve(points: SortedPoints, clusters: number): Solution & { readonly price: number } {
  const n = points.values.length;
  const cheapest = pricedPartition(points);
  // two solutions that need no search: all points in one cluster, and each in its own
  let few: Solution = { starts: Int32Array.of(0, n), clusters: 1, cost: costOf(points, 0, n) };
  let many: Solution = { starts: new Int32Array(n + 1).map((_, i) => i), clusters: n, cost: 0 };
  if (clusters === few.clusters) return { ...few, price: few.cost };
  if (clusters === many.clusters) return { ...many, price: 0 };
  let price = firstPrice(points, clusters, few.cost);
  for (;;) {
    const found = cheapest(price);
    if (found.clusters === clusters) return { ...found, price };
    if (found.clusters <= few.clusters || found.clusters >= many.clusters) {
      const chord = chordPrice(few, many);
      if (price === chord) return { ...exchangeTails(points, few, many, clusters), price };
      price = chord;
      continue;
    }
    if (found.clusters < clusters) few = found;
    else many = found;
    const bracketed = few.clusters > 1 && many.clusters < n;
    price = bracketed ? chordPrice(few, many) : price * towards(found.clusters, clusters);
  }
}

/** Between the prices of a solution with few clusters and of one with many. */
function chordPrice(few: Solution, many: Solution): number {
  return (few.cost - many.cost) / (many.clusters - few.clusters);
}

/**
 * Factor on a price that led to `found` clusters. The cost falls about as 1/K², so the price of one more as 1/K³; half a cluster
 * beyond the goal, since a goal overshot is a goal bracketed.
 */
function towards(found: number, clusters: number): number {
  const ratio = (found + (found > clusters ? 0.5 : -0.5)) / clusters;
  return ratio * ratio * ratio;
}

function firstPrice(points: SortedPoints, clusters: number, total: number): number {
  const n = points.values.length;
  // with fewer points a cluster the price would be too rough
  const wanted = Math.max(1024, 64 * clusters);
  if (n > 4 * wanted) return solve(thinned(points, Math.floor(n / wanted)), clusters).price;
  return (2 * total) / (clusters * clusters * clusters);
}

/** Added up cluster by cluster: F less its prices would have lost what is small beside a price. */
function solution(points: SortedPoints, starts: Int32Array): Solution {
  const clusters = starts.length - 1;
  let cost = 0;
  for (let k = 0; k < clusters; k++) cost += costOf(points, starts[k], starts[k + 1]);
  return { starts, clusters, cost };
}

function costOf({ weight, sum, square }: SortedPoints, i: number, j: number): number {
  const s = sum[j] - sum[i];
  return square[j] - square[i] - (s * s) / (weight[j] - weight[i]);
}

/** A function from prices to the cheapest partition; it keeps its working memory. */
function pricedPartition(points: SortedPoints): (price: number) => Solution {
  const { values, weight: W, sum: S, square } = points;
  const n = values.length;
  // A(i) = F(i) − S₂[i], so that a cluster from i to e makes F(e) = S₂[e] + λ + A(i) − (S[e] − S[i])² / (W[e] − W[i])
  const A = new Float64Array(n + 1);
  const previous = new Int32Array(n + 1);
  const queue = new Int32Array(n);
  /** leads[q]: the first end at which queue[q] is ahead of the one before it. */
  const leads = new Int32Array(n);
  /** Whether a last cluster from `late` up to `end` is better than one from `early`; without divisions, which would take half of the time. */
  const ahead = (late: number, early: number, end: number): boolean => {
    const u = W[end] - W[early];
    const v = W[end] - W[late];
    const p = S[end] - S[early];
    const q = S[end] - S[late];
    return (A[late] - A[early]) * u * v < q * q * u - p * p * v;
  };

  return (price) => {
    let head = 0;
    let tail = 0;
    queue[0] = 0;
    leads[0] = 1;
    A[0] = -square[0];
    for (let j = 1; j <= n; j++) {
      while (head < tail && leads[head + 1] <= j) head++;
      const start = queue[head];
      const s = S[j] - S[start];
      A[j] = price + A[start] - (s * s) / (W[j] - W[start]);
      previous[j] = start;
      if (j === n) break;
      // starts that the new one overtakes before they would lead are never best; where they would, it is ahead of all before them
      let known = n + 1;
      while (tail > head && ahead(j, queue[tail], leads[tail])) known = leads[tail--];
      const rival = queue[tail];
      // ahead at `high` or past the end, behind at `low`
      let low = Math.max(j, leads[tail]);
      let high = low + 1;
      for (let step = 1; high < known && !ahead(j, rival, high); step *= 2) {
        low = high;
        high += step;
      }
      if (high > known) high = known;
      if (high > n) {
        if (low === n || !ahead(j, rival, n)) continue;
        high = n;
      }
      while (high - low > 1) {
        const middle = (low + high) >>> 1;
        if (ahead(j, rival, middle)) high = middle;
        else low = middle;
      }
      queue[++tail] = j;
      leads[tail] = high;
    }
    let clusters = 0;
    for (let j = n; j > 0; j = previous[j]) clusters++;
    const starts = new Int32Array(clusters + 1);
    for (let j = n, k = clusters; k >= 0; j = previous[j], k--) starts[k] = j;
    return solution(points, starts);
  };
}

/**
 * Of two partitions that are cheapest at one price, one with few and one with many clusters, a third with any number in between:
 * where a cluster of `many` lies within one of `few`, change over. By the Monge inequality that costs no more.
 */
function exchangeTails(points: SortedPoints, few: Solution, many: Solution, clusters: number): Solution {
  const skipped = many.clusters - clusters;
  for (let t = 0; ; t++) {
    const s = t + skipped;
    if (few.starts[t] > many.starts[s] || many.starts[s + 1] > few.starts[t + 1]) continue;
    const starts = new Int32Array(clusters + 1);
    starts.set(few.starts.subarray(0, t + 1));
    starts.set(many.starts.subarray(s + 1), t + 1);
    return solution(points, starts);
  }
}
