/** A value between elements, as a weighted sum of the elements around it, for any number of axes. */
import type { Filter } from "#model/ops/resampling";
import { stridesOf } from "#model/ops/strides";

/** Where an index outside of an axis reads from; −1: nowhere, it counts as 0. */
export type Beyond = (index: number, length: number) => number;

export const zeros: Beyond = (index, length) => (index >= 0 && index < length ? index : -1);

export const border: Beyond = (index, length) => Math.min(Math.max(index, 0), length - 1);

/** Mirrors at the centres of the first and last element: −1 reads 1. */
export const reflectCentres: Beyond = (index, length) => {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const at = ((index % period) + period) % period;
  return at < length ? at : period - at;
};

/** Mirrors at the outer edges of the first and last element: −1 reads 0. */
export const reflectEdges: Beyond = (index, length) => {
  const at = ((index % (2 * length)) + 2 * length) % (2 * length);
  return at < length ? at : 2 * length - 1 - at;
};

/**
 * A function that, for a position (one coordinate per axis, in elements), calls `visit` with the flat offset and weight
 * of every element that counts.
 */
export function interpolator(
  dims: readonly number[],
  filter: Filter,
  beyond: Beyond,
): (position: ArrayLike<number>, visit: (offset: number, weight: number) => void) => void {
  const strides = stridesOf(dims);
  const reach = filter.support;
  return (position, visit) => {
    const walk = (axis: number, offset: number, weight: number): void => {
      if (axis === dims.length) return visit(offset, weight);
      const first = Math.floor(position[axis]) - reach + 1;
      for (let index = first; index < first + 2 * reach; index++) {
        const share = filter.weight(index - position[axis]);
        const at = share === 0 ? -1 : beyond(index, dims[axis]);
        if (at >= 0) walk(axis + 1, offset + at * strides[axis], weight * share);
      }
    };
    if (Array.prototype.every.call(position, Number.isFinite)) walk(0, 0, 1);
  };
}
