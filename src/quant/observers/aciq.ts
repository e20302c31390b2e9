import { LowbitError } from "#base/errors";
import { dtype } from "#quant/dtype";
import { binMiddles, histogramOf } from "#quant/observers/histogram";
import type { Observer, Range, RangeUse } from "#quant/observers/types";

/**
 * Analytical clipping (Banner, Nahshan, Soudry: "Post-training 4-bit quantization of convolution networks", NeurIPS 2019).
 * For a Laplace(b) or Gauss(σ) density and M bits, the clip α that minimises clipping plus rounding error is a constant times b
 * or σ:  Laplace  2b²·e^(−α/b) + α²/(3·4ᴹ);  Gauss  2∫_α^∞ (x−α)²·φ(x) dx + α²/(3·4ᴹ).
 * The family is chosen by b/σ, which is 1/√2 for Laplace and √(2/π) for Gauss. Data on one side of 0 (after a ReLU) is half of a
 * symmetric density and has the whole code range for that half: one more bit.
 */
export const aciq: Observer = {
  name: "aciq",
  needsHistogram: true,
  range(summary, _rule, use) {
    const histogram = histogramOf(summary);
    return aciqRange(binMiddles(histogram), histogram.counts, summary, use);
  },
};

/** The range for values between `min` and `max`, each of which occurred as often as `counts` says; undefined: once. */
export function aciqRange(
  values: ArrayLike<number>,
  counts: ArrayLike<number> | undefined,
  { min, max }: { readonly min: number; readonly max: number },
  use: RangeUse,
): Range {
  const oneSided = min >= 0 || max <= 0;
  const bits = dtype(use.dtype).bits + (oneSided && !use.symmetric ? 1 : 0);
  const row = optimalClip[bits];
  if (row === undefined)
    throw new LowbitError("quant/range", `aciq has constants for 2 to 9 bits, not for ${bits}`, {
      hint: "use mse for other widths",
    });
  let total = 0;
  let mean = 0;
  for (let i = 0; i < values.length; i++) {
    const count = counts === undefined ? 1 : counts[i];
    total += count;
    mean += count * values[i];
  }
  mean = oneSided ? 0 : mean / total;
  let absolute = 0;
  let square = 0;
  for (let i = 0; i < values.length; i++) {
    const d = Math.abs(values[i] - mean);
    const count = counts === undefined ? 1 : counts[i];
    absolute += count * d;
    square += count * d * d;
  }
  const b = absolute / total;
  const sigma = Math.sqrt(square / total);
  const alpha = b < 0.752525 * sigma ? row.laplace * b : row.gauss * sigma;
  return { low: Math.max(min, mean - alpha), high: Math.min(max, mean + alpha) };
}

/** α/b and α/σ that solve the equations above; a test solves them again. */
export const optimalClip: Readonly<Record<number, { readonly laplace: number; readonly gauss: number }>> = {
  2: { laplace: 2.8307, gauss: 1.7106 },
  3: { laplace: 3.8972, gauss: 2.1516 },
  4: { laplace: 5.0286, gauss: 2.5591 },
  5: { laplace: 6.2048, gauss: 2.9362 },
  6: { laplace: 7.4131, gauss: 3.2869 },
  7: { laplace: 8.6456, gauss: 3.6151 },
  8: { laplace: 9.8968, gauss: 3.924 },
  9: { laplace: 11.1627, gauss: 4.2163 },
};
