import { affineCodes, affineFitter } from "#quant/affine";
import type { Range, RangeUse } from "#quant/observers/types";

/** The values that share a parameter: at least one, finite. */
export interface SharedValues {
  readonly values: Float32Array;
  /** How much an error in each matters; undefined: all alike. */
  readonly importance: Float32Array | undefined;
  readonly min: number;
  readonly max: number;
}

/**
 * The range whose decoded values lie nearest to the values, by squares: Σ h·(x − x̂)², h the importance. Tried are 1, 0.99 … 0.01 of
 * the extremes: both ends together and, where there is a zero point, then each end alone. Of equals the widest.
 */
export function leastErrorRange(shared: SharedValues, use: RangeUse): Range {
  const { min, max } = shared;
  const fit = affineFitter(use.dtype, use);
  const codes = affineCodes(use.dtype, use);
  let best: Range = { low: min, high: max };
  let least = Number.POSITIVE_INFINITY;
  const tryAll = (candidate: (share: number) => Range): void => {
    for (let k = steps; k > 0; k--) {
      const range = candidate(k / steps);
      const { scale, zeroPoint } = fit(range.low, range.high);
      const error = errorWithin(shared, scale, codes.min - zeroPoint, codes.max - zeroPoint, least);
      if (error < least) {
        least = error;
        best = range;
      }
    }
  };
  if (use.symmetric) {
    const largest = Math.max(-min, max);
    tryAll((share) => ({ low: -share * largest, high: share * largest }));
    return best;
  }
  tryAll((share) => ({ low: share * min, high: share * max }));
  if (min < 0 && max > 0) {
    const { low } = best;
    tryAll((share) => ({ low, high: share * max }));
    const { high } = best;
    tryAll((share) => ({ low: share * min, high }));
  }
  return best;
}

const steps = 100;

/**
 * Σ h·(x − x̂)², given up from `limit` on. In float64 and by a product, where codes are made in float32 and by a division: other ties,
 * twice the speed.
 */
function errorWithin(
  { values, importance }: SharedValues,
  scale: number,
  lowest: number,
  highest: number,
  limit: number,
): number {
  const inverse = 1 / scale;
  let sum = 0;
  for (let i = 0; i < values.length && sum < limit; i++) {
    const x = values[i];
    const v = x * inverse;
    // clamped before it is rounded, so that the FPU rounds it, halves to even: see roundHalfEven
    const d = x - ((v < lowest ? lowest : v > highest ? highest : v) + roundingShift - roundingShift) * scale;
    sum += importance === undefined ? d * d : importance[i] * d * d;
  }
  return sum;
}

/** 1.5·2⁵². */
const roundingShift = 6755399441055744;
