import { dtype } from "#quant/dtype";
import { binMiddles, clippedTo, histogramOf } from "#quant/observers/histogram";
import type { Observer, RangeUse } from "#quant/observers/types";

/**
 * Optimally clipped tensors and vectors (Sakr et al., "Optimal Clipping and Magnitude-aware Differentiation for Improved
 * Quantization-aware Training", ICML 2022): the clip s of least error, rounding taken as uniform noise over a step,
 *
 *   J(s) = s²·(4⁻ᴮ/3)·P(|x| ≤ s) + E[(|x| − s)²; |x| > s]
 *
 * found by Newton's method, on the values themselves and not on a fitted density.
 */
export const octav: Observer = {
  name: "octav",
  needsHistogram: true,
  range(summary, _rule, use) {
    const histogram = histogramOf(summary);
    const magnitudes = binMiddles(histogram).map(Math.abs);
    return clippedTo(summary, octavClip(magnitudes, histogram.counts, stepShare(summary, use)));
  },
};

/** A step's variance as a share of the squared clip: 4⁻ᴮ/3, or 4⁻ᴮ/12 where the codes need not cover the other side of 0. */
export function stepShare(range: { readonly min: number; readonly max: number }, use: RangeUse): number {
  const oneSided = (range.min >= 0 || range.max <= 0) && !use.symmetric;
  return 4 ** -dtype(use.dtype).bits / (oneSided ? 12 : 3);
}

/**
 * The fixed point of s ← Σ_{|x|>s} |x| / (share·#{0 < |x| ≤ s} + #{|x| > s}), from the mean magnitude on. `counts` says how often each
 * value occurred, or how much its error matters; undefined: each once. 0 when all values are.
 */
export function octavClip(magnitudes: ArrayLike<number>, counts: ArrayLike<number> | undefined, share: number): number {
  let clip = 0;
  for (let round = 0; round < mostRounds; round++) {
    let outside = 0;
    let sum = 0;
    let inside = 0;
    for (let i = 0; i < magnitudes.length; i++) {
      const x = magnitudes[i];
      const count = counts === undefined ? 1 : counts[i];
      if (x > clip) {
        outside += count;
        sum += count * x;
      } else if (x > 0) inside += count;
    }
    // nothing is clipped: steps are too fine for clipping to pay
    if (!(sum > 0)) return clip;
    const next = sum / (share * inside + outside);
    if (next === clip) return clip;
    clip = next;
  }
  return clip;
}

/** It converges in about ten; between values that lie far apart it may end in a cycle. */
const mostRounds = 30;
