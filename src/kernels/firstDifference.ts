import type { Numbers } from "#kernels/engine";

/** Index of the first number in which two arrays differ, −1 when they are the same; NaN is NaN, and −0 is not 0. */
export function firstDifference(a: Numbers, b: Numbers): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] || a[i] === 0) if (!Object.is(a[i], b[i])) return i;
  return -1;
}
