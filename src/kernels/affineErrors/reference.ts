/**
 * What affine quantization with each of several scales would cost: errors[k] grows by Σ (x − x̂)², x̂ = clamp(roundHalfEven(x / s))·s
 * for the k-th scale. It serves the search for a scale, so it multiplies by 1/s where codes are made by dividing.
 *
 * All in float32 and in this order, which decides the sum's last bits: of 1,024 numbers, those whose indices are alike modulo 16 are
 * added up; these sixteen sums are folded in halves; and what 1,024 numbers come to is added in float64.
 */
export interface AffineCandidates {
  /** Normal numbers. */
  readonly scales: Float32Array;
  /** Least and greatest code less the zero point of each; 0 lies between them, and both within ±2²². */
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
}

export function affineErrors(
  x: Float32Array,
  { scales, lowest, highest }: AffineCandidates,
  errors: Float64Array,
): void {
  const sums = new Float32Array(16);
  const fround = Math.fround;
  for (let k = 0; k < scales.length; k++) {
    const s = scales[k];
    const inverse = fround(1 / s);
    for (let first = 0; first < x.length; first += 1024) {
      sums.fill(0);
      for (let i = first, end = Math.min(x.length, first + 1024); i < end; i++) {
        const quotient = fround(x[i] * inverse);
        const clamped = quotient > lowest[k] ? (quotient < highest[k] ? quotient : highest[k]) : lowest[k];
        const d = fround(x[i] - fround(roundShifted(clamped) * s));
        sums[i % 16] += fround(d * d);
      }
      for (let half = 8; half >= 1; half /= 2) for (let i = 0; i < half; i++) sums[i] += sums[i + half];
      errors[k] += sums[0];
    }
  }
}

/** Ties to even; 1.5·2²³ in float32. −0.3 gives +0, which is as far from x as −0. */
function roundShifted(v: number): number {
  return Math.fround(v + 12582912) - 12582912;
}
