import type { DTypeName } from "#quant/dtype";
import { forEachRun, type Granularity } from "#quant/granularity";

/** Numbers that elements share. Their values are what decoding multiplies with, whatever they are stored as. */
export interface Scales {
  readonly granularity: Granularity;
  readonly values: Float32Array;
  /** What they are stored as. Without `outer` each value is exactly one of that format. Default float32. */
  readonly dtype?: DTypeName;
  /** A second level: each value is (a number of `dtype`) · (the outer value of its element), as in VS-Quant and NVFP4. */
  readonly outer?: Scales;
}

/** Smallest normal float32: what a fit gives where a scale would be 0, so that nobody divides by 0 and all still decodes to ≈ 0. */
export const leastScale = 2 ** -126;

/** Multiplies each element with the scale it shares, in place, in float32. */
export function applyScales(x: Float32Array, shape: readonly number[], scale: Scales | null): Float32Array {
  if (scale === null) return x;
  const { granularity, values } = scale;
  forEachRun(shape, granularity, (index, offset, step, count) => {
    const s = values[index];
    for (let k = 0, i = offset; k < count; k++, i += step) x[i] *= s;
  });
  return x;
}
