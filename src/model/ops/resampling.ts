/**
 * Resampling along one axis: every output element is a weighted sum of a few input elements, its taps. Resize does this
 * axis by axis, since its filters are products of one-dimensional ones.
 */
import { allocateChecked, stridesOf } from "#model/ops/strides";
import { sizeOf } from "#model/tensor";

/** Output i is Σ over k < count of weights[i·count + k] · input[indices[i·count + k]]. */
export interface Taps {
  readonly count: number;
  readonly indices: Int32Array;
  readonly weights: Float64Array;
}

export interface Filter {
  /** The weight of an element at this distance. */
  readonly weight: (distance: number) => number;
  /** Distance from which on it is 0. */
  readonly support: number;
}

/** Straight lines between neighbours. */
export const triangle: Filter = { weight: (d) => Math.max(0, 1 - Math.abs(d)), support: 1 };

/** Keys' cubic convolution, equation (4) of https://ieeexplore.ieee.org/document/1163711; `a` is its slope at 1. */
export function cubic(a: number): Filter {
  return {
    weight: (distance) => {
      const d = Math.abs(distance);
      if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
    },
    support: 2,
  };
}

/**
 * Taps of a filter centred at each position of the input. `stretch` widens it (antialiasing); elements beyond the ends
 * repeat the last one, or with `excludeOutside` weigh nothing. Weights sum to 1.
 */
export function filterTaps(
  positions: ArrayLike<number>,
  length: number,
  filter: Filter,
  stretch: number,
  excludeOutside: boolean,
): Taps {
  const reach = Math.ceil(filter.support * stretch);
  const count = 2 * reach;
  const indices = new Int32Array(positions.length * count);
  const weights = new Float64Array(positions.length * count);
  for (let i = 0; i < positions.length; i++) {
    const first = Math.floor(positions[i]) - reach + 1;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const at = first + k;
      const outside = at < 0 || at >= length;
      const weight = outside && excludeOutside ? 0 : filter.weight((at - positions[i]) / stretch);
      indices[i * count + k] = Math.min(Math.max(at, 0), length - 1);
      weights[i * count + k] = weight;
      sum += weight;
    }
    if (sum !== 0) for (let k = 0; k < count; k++) weights[i * count + k] /= sum;
  }
  return { count, indices, weights };
}

/** One tap each: the element that `round` picks, within the input. */
export function nearestTaps(positions: ArrayLike<number>, length: number, round: (position: number) => number): Taps {
  const indices = Int32Array.from(positions, (x) => Math.min(Math.max(round(x), 0), length - 1));
  return { count: 1, indices, weights: new Float64Array(indices.length).fill(1) };
}

/** x of shape `dims` with one axis resampled. */
export function resampleAxis(
  x: ArrayLike<number>,
  dims: readonly number[],
  axis: number,
  { count, indices, weights }: Taps,
): Float64Array {
  const inner = stridesOf(dims)[axis];
  const outer = sizeOf(dims.slice(0, axis));
  const length = indices.length / count;
  const y = allocateChecked("float64", [outer, length, inner]) as Float64Array;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < length; i++) {
      const to = (o * length + i) * inner;
      for (let tap = i * count; tap < (i + 1) * count; tap++) {
        const weight = weights[tap];
        if (weight === 0) continue;
        const from = (o * dims[axis] + indices[tap]) * inner;
        for (let j = 0; j < inner; j++) y[to + j] += weight * x[from + j];
      }
    }
  }
  return y;
}
