import { extremes } from "#quant/affine";
import type { Granularity } from "#quant/granularity";

const smallestNormal = 1.1754943508222875e-38;
const largestFloat = 3.4028234663852886e38;

/** The greatest magnitude among each parameter's elements; 0 for none. Throws quant/non-finite. */
export function absmax(x: Float32Array, shape: readonly number[], granularity: Granularity): Float32Array {
  const { low, high } = extremes(x, shape, granularity);
  return high.map((value, i) => Math.max(value, -low[i]));
}

/**
 * The float32 scale that brings `amax` to `top`, the greatest magnitude of a code: amax / top. 1 where all are 0; else normal,
 * and small enough that top · scale is still a float32.
 */
export function absmaxScale(amax: number, top: number): number {
  if (amax === 0) return 1;
  const scale = Math.max(Math.fround(amax / top), smallestNormal);
  // the last few steps below the largest float32 are given up to whatever rounding is to come
  return scale * top < largestFloat * (1 - 2 ** -22) ? scale : Math.fround(scale * (1 - 2 ** -21));
}
