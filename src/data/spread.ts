/** Which samples: calibration takes some spread evenly over the data, evaluation judges the others. */
import { LowbitError } from "#base/errors";
import type { Dataset } from "#data/types";

/**
 * `n` indices spread evenly over `length`, first and last included: NumPy's `linspace(0, length − 1, n).astype(int)`, so that a
 * Python script picks the same. All of them where `n ≥ length`. → spread(10, 4) → [0, 3, 6, 9]
 */
export function spread(length: number, n: number): number[] {
  if (!Number.isSafeInteger(n) || n < 1)
    throw new LowbitError("usage/argument", `the number of samples is a whole number above 0, not ${n}`);
  if (n >= length) return Array.from({ length }, (_, i) => i);
  if (n === 1) return [0];
  const step = (length - 1) / (n - 1);
  return Array.from({ length: n }, (_, i) => (i === n - 1 ? length - 1 : Math.trunc(i * step)));
}

/** The indices below `length` that are not among `picked`, in order. → without(5, [0, 4]) → [1, 2, 3] */
export function without(length: number, picked: readonly number[]): number[] {
  const taken = new Set(picked);
  return Array.from({ length }, (_, i) => i).filter((i) => !taken.has(i));
}

/** The same data, seen through a choice of indices. */
export function take(dataset: Dataset, indices: readonly number[]): Dataset {
  return { ...dataset, length: indices.length, sample: (index) => dataset.sample(indices[index]) };
}
