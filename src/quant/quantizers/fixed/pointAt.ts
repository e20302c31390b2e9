import type { Affine } from "#quant/affine";
import type { IntegerDType } from "#quant/dtype";
import type { Granularity } from "#quant/granularity";

/** Integers whose binary point lies where `steps` say: powers of two, stored as their exponents. */
export function pointAt(dtype: IntegerDType, granularity: Granularity, steps: Float32Array): Affine {
  const storedScale = { granularity, values: steps, dtype: "float8e8m0" } as const;
  return { kind: "affine", dtype, granularity, scale: steps, zeroPoint: null, storedScale };
}
