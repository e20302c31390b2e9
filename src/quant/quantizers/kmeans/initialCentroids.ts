/** Where Lloyd's algorithm may start. K ascending centroids each; Han, Mao & Dally 2016 (Deep Compression), §3.2, has the first three. */
import type { Rng } from "#base/rng";
import type { SortedPoints } from "#quant/sortedPoints";

type InitialCentroids = (points: SortedPoints, clusters: number, rng: Rng) => Float64Array;

export const initialCentroids = {
  /** Evenly from the least to the greatest value: few centroids where most weights are, but large weights keep their own. */
  linear: ({ values }, clusters) => {
    const low = values[0];
    const high = values[values.length - 1];
    const step = clusters > 1 ? (high - low) / (clusters - 1) : 0;
    return Float64Array.from({ length: clusters }, (_, k) => (clusters > 1 ? low + k * step : (low + high) / 2));
  },
  /** Evenly in the cumulative distribution: as many weights for each. */
  density: (points, clusters) =>
    Float64Array.from({ length: clusters }, (_, k) => valueAt(points, (k + 0.5) / clusters)),
  /** Distinct values drawn by lot (Forgy 1965). */
  random: ({ values }, clusters, rng) => {
    const places = Int32Array.from(values, (_, i) => i);
    for (let k = 0; k < clusters; k++) {
      const other = k + rng.below(values.length - k);
      [places[k], places[other]] = [places[other], places[k]];
    }
    return Float64Array.from(places.subarray(0, clusters).sort(), (place) => values[place]);
  },
  /** Drawn by lot, far ones more likely: by squared distance to the nearest so far (Arthur & Vassilvitskii 2007, k-means++). */
  plusplus: (points, clusters, rng) => {
    const { values, weight } = points;
    const chosen = new Float64Array(clusters).fill(valueAt(points, rng.uniform()));
    const distance = new Float64Array(values.length).fill(Number.POSITIVE_INFINITY);
    for (let k = 1; k < clusters; k++) {
      let total = 0;
      for (let i = 0; i < values.length; i++) {
        const gap = values[i] - chosen[k - 1];
        distance[i] = Math.min(distance[i], gap * gap * (weight[i + 1] - weight[i]));
        total += distance[i];
      }
      let left = rng.uniform() * total;
      let at = 0;
      // never a point that is a centroid already: there are at least as many points as centroids
      for (let i = 0; i < values.length; i++) {
        if (distance[i] === 0) continue;
        at = i;
        left -= distance[i];
        if (left < 0) break;
      }
      chosen[k] = values[at];
    }
    return chosen.sort();
  },
} as const satisfies Readonly<Record<string, InitialCentroids>>;

/** The value below which a share of all weight lies. */
function valueAt({ values, weight }: SortedPoints, share: number): number {
  const wanted = weight[0] + share * (weight[values.length] - weight[0]);
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (weight[middle + 1] > wanted) high = middle;
    else low = middle + 1;
  }
  return values[low];
}
