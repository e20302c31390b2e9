/**
 * Numbers on a line, made ready for clustering: distinct, ascending, with prefix sums from which the squared error of any stretch
 * of them around its mean follows in constant time:
 *
 *   cost(i, j) = Σ h·(x − mean)² = (S₂[j] − S₂[i]) − (S₁[j] − S₁[i])² / (W[j] − W[i]),  points i … j − 1
 *
 * The sums count from the median outwards, of x − median, and are compensated (Neumaier 1974): far outliers do not drown what is
 * near the middle, where most weights are, and a million terms leave no trace of rounding.
 */
import { sortFloats } from "#math/sortFloats";

export interface SortedPoints {
  /** Distinct and ascending. */
  readonly values: Float32Array;
  /** What S₁ and S₂ are counted from. */
  readonly origin: number;
  /** W: one more entry than values, entry i counts points before i; likewise the next two. */
  readonly weight: Float64Array;
  /** S₁: Σ h·(x − origin). */
  readonly sum: Float64Array;
  /** S₂: Σ h·(x − origin)². */
  readonly square: Float64Array;
}

/** `x` finite. Points whose importance is 0 are left out, unless that leaves none. */
export function sortedPoints(x: Float32Array, importance?: Float32Array): SortedPoints {
  const known = importance?.some((h) => h > 0) === true ? importance : undefined;
  const { values: sorted, companions } = sortFloats(x, known);
  const values = new Float32Array(sorted.length);
  const h = new Float64Array(sorted.length);
  let n = 0;
  for (let i = 0; i < sorted.length; i++) {
    const share = companions === undefined ? 1 : companions[i];
    if (share === 0) continue;
    if (n === 0 || sorted[i] !== values[n - 1]) values[n++] = sorted[i];
    h[n - 1] += share;
  }
  const middle = n >> 1;
  const origin = n === 0 ? 0 : values[middle];
  const terms = h.slice(0, n);
  const timesDistance = (): void => {
    for (let i = 0; i < n; i++) terms[i] *= values[i] - origin;
  };
  const weight = sumOutwards(terms, middle);
  timesDistance();
  const sum = sumOutwards(terms, middle);
  timesDistance();
  return { values: values.slice(0, n), origin, weight, sum, square: sumOutwards(terms, middle) };
}

/** Every `step`-th place to part them, and the last: far fewer points, whose costs are still exact. */
export function thinned({ values, origin, weight, sum, square }: SortedPoints, step: number): SortedPoints {
  const n = Math.ceil(values.length / step);
  const sampled = (from: Float64Array): Float64Array =>
    Float64Array.from({ length: n + 1 }, (_, i) => from[Math.min(i * step, values.length)]);
  return {
    values: Float32Array.from({ length: n }, (_, i) => values[i * step]),
    origin,
    weight: sampled(weight),
    sum: sampled(sum),
    square: sampled(square),
  };
}

/** Σ h·x of the points from `start` up to `end`, without it. */
export function totalOf({ origin, weight, sum }: SortedPoints, start: number, end: number): number {
  return sum[end] - sum[start] + origin * (weight[end] - weight[start]);
}

/** Index of the first value above `border`, from `low` on; the number of points when there is none. */
export function firstAbove({ values }: SortedPoints, border: number, low = 0): number {
  let first = low;
  let high = values.length;
  while (first < high) {
    const middle = (first + high) >>> 1;
    if (values[middle] > border) high = middle;
    else first = middle + 1;
  }
  return first;
}

/** Mean of the points from `start` up to `end`, without it. */
export function meanOf({ origin, weight, sum }: SortedPoints, start: number, end: number): number {
  return origin + (sum[end] - sum[start]) / (weight[end] - weight[start]);
}

/** `out`, one longer than `terms`, with out[i + 1] − out[i] the i-th term and out[middle] = 0. */
function sumOutwards(terms: Float64Array, middle: number): Float64Array {
  const out = new Float64Array(terms.length + 1);
  for (const direction of [1, -1]) {
    let total = 0;
    let lost = 0;
    for (let i = direction > 0 ? middle : middle - 1; i >= 0 && i < terms.length; i += direction) {
      const t = terms[i] * direction;
      const next = total + t;
      lost += Math.abs(total) >= Math.abs(t) ? total - next + t : t - next + total;
      total = next;
      out[direction > 0 ? i + 1 : i] = total + lost;
    }
  }
  return out;
}
