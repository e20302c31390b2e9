/**
 * Multiplication with a real number in integers only: M ≈ m·2^(shift − 31), m an int32 in [2³⁰, 2³¹), so a high multiplication and a
 * shift do it (Jacob et al. 2018, arXiv 1712.05877, eq. 5 and 6; "dyadic" arithmetic in HAWQ-V3, arXiv 2011.10680).
 *
 * Two programs round differently, by at most 1 where nothing saturates (left shifts of `double` saturate before the product):
 *
 *   double   gemmlowp's SaturatingRoundingDoublingHighMul, which rounds to x·m·2⁻³¹ with ties toward +∞, then RoundingDivideByPOT,
 *            which rounds that with ties away from 0. What ARM's SQRDMULH does, and TensorFlow Lite by default.
 *   single   one 64-bit product, rounded once with ties toward +∞: TensorFlow Lite's TFLITE_SINGLE_ROUNDING.
 */
import { LowbitError } from "#base/errors";
import { exponentOf } from "#math/minifloat";
import { roundHalfAway } from "#math/round";

export interface FixedPoint {
  /** m, a Q31 fraction in [½, 1). */
  readonly mantissa: number;
  /** Negative: to the right. */
  readonly shift: number;
}

export type FixedPointRounding = "double" | "single";

/** The nearest fixed-point multiplier to a number in [2⁻³¹, 2³⁰), halves away from 0. Throws quant/range for others. → ⅓: (1431655765, −1) */
export function fixedPoint(multiplier: number): FixedPoint {
  const shift = exponentOf(multiplier) + 1;
  if (!(multiplier > 0) || shift < -30 || shift > 30)
    throw new LowbitError("quant/range", `${multiplier} is no multiplier between 2^-31 and 2^30`, {
      hint: "the scales of inputs, weights and outputs differ too much for integer arithmetic",
    });
  const mantissa = roundHalfAway(multiplier * 2 ** (31 - shift));
  return mantissa === 2 ** 31 ? { mantissa: 2 ** 30, shift: shift + 1 } : { mantissa, shift };
}

/** x·M rounded, for an int32 x; saturates to int32. */
export function multiplyByFixedPoint(
  x: number,
  { mantissa, shift }: FixedPoint,
  rounding: FixedPointRounding = "single",
): number {
  if (rounding === "single") return saturate(shiftedProduct(x, mantissa, 31 - shift));
  const left = saturate(x * 2 ** Math.max(shift, 0));
  const high = saturate(shiftedProduct(left, mantissa, 31));
  return roundHalfAway(high * 2 ** Math.min(shift, 0)) + 0;
}

/**
 * ⌊x·m·2⁻ᵗ + ½⌋, exactly: the product has up to 63 bits, a double holds 53, so m is taken as high·2¹⁶ + low. For t ≤ 16 results that
 * far exceed int32 may be inexact.
 */
function shiftedProduct(x: number, m: number, t: number): number {
  const high = x * Math.floor(m / 65536);
  const low = x * (m % 65536);
  if (t <= 16) return high * 2 ** (16 - t) + Math.floor(low / 2 ** t + 0.5);
  return Math.floor((high + Math.floor(low / 65536) + 2 ** (t - 17)) / 2 ** (t - 16));
}

function saturate(x: number): number {
  return x > 2147483647 ? 2147483647 : x < -2147483648 ? -2147483648 : x;
}
