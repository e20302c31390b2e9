import { type Affine, type AffineOptions, affineFromRanges } from "#quant/affine";
import type { Granularity } from "#quant/granularity";
import { weightRanges } from "#quant/quantizers/linear/weightRanges";
import type { Scheme } from "#quant/scheme";

/**
 * Scales and zero points for a tensor of `shape`, by the scheme's range rule. `granularity` says what the scheme's sharing means for this tensor.
 * Throws quant/non-finite, and quant/range where the rule has no answer for so many bits.
 */
export function fitLinear(
  x: Float32Array,
  shape: readonly number[],
  granularity: Granularity,
  scheme: Scheme,
  { importance, reduced = false }: Pick<AffineOptions, "reduced"> & { readonly importance?: Float32Array } = {},
): Affine {
  const use = { ...scheme, reduced };
  return affineFromRanges(
    weightRanges(x, shape, granularity, scheme.range, use, importance),
    scheme.dtype,
    granularity,
    use,
  );
}
