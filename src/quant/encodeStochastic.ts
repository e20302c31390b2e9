import type { Rng } from "#base/rng";
import { type Affine, type AffineOptions, affineCodes } from "#quant/affine";
import { forEachRun } from "#quant/granularity";

/**
 * Codes of `x`, rounded up with the probability of the fraction, so that x̂ is x on average: q = ⌊x/s + u⌋ + z, u uniform in [0, 1)
 * (Gupta et al. 2015, arXiv 1502.02551). What a code hits exactly stays; what lies outside the range is clipped as ever.
 */
export function encodeStochastic(
  x: Float32Array,
  shape: readonly number[],
  decoding: Affine,
  options: AffineOptions,
  rng: Rng,
): Int32Array {
  const { min, max } = affineCodes(decoding.dtype, options);
  const codes = new Int32Array(x.length);
  forEachRun(shape, decoding.granularity, (index, offset, step, length) => {
    const s = decoding.scale[index];
    const z = decoding.zeroPoint === null ? 0 : decoding.zeroPoint[index];
    for (let k = 0, i = offset; k < length; k++, i += step) {
      const q = Math.floor(x[i] / s + rng.uniform()) + z;
      codes[i] = q < min ? min : q > max ? max : q;
    }
  });
  return codes;
}
