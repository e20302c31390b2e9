/**
 * Rounding is part of the meaning of a quantizer, so each way has a name. `Math.round` (ties toward +∞) is none of them and
 * is a lint error outside this folder.
 */

/**
 * Nearest integer, ties to even: ONNX, NumPy and IEEE 754's default. Exact for every double.
 * → 0.5 → 0, 1.5 → 2, −2.5 → −2
 */
export function roundHalfEven(x: number): number {
  // |x| < 2⁵¹: adding and taking away 1.5·2⁵² leaves the rounding to the FPU's ties-to-even; larger doubles with a
  // fraction (2⁵¹ ≤ |x| < 2⁵²) have only the fraction .5, and from 2⁵² on there is none
  if (x < 2251799813685248 && x > -2251799813685248) {
    const rounded = x + 6755399441055744 - 6755399441055744;
    return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
  }
  const low = Math.floor(x);
  const fraction = x - low;
  if (fraction < 0.5) return low;
  if (fraction > 0.5) return low + 1;
  return fraction === 0.5 ? (low % 2 === 0 ? low : low + 1) : x;
}

/** Nearest integer, ties away from zero: C's `roundf`, ggml. → 2.5 → 3, −2.5 → −3 */
export function roundHalfAway(x: number): number {
  const magnitude = Math.abs(x);
  const low = Math.floor(magnitude);
  const rounded = magnitude - low >= 0.5 ? low + 1 : low;
  return x < 0 ? -rounded : rounded;
}
