import { roundHalfEven } from "#math/round";
import { affineCodes, affineFromRange } from "#quant/affine";
import type { Range, RangeUse } from "#quant/observers/types";
import type { SharedValues } from "#quant/quantizers/linear/weightRanges";

/**
 * The range whose decoded values lie nearest to the values, by squares: Σ h·(x − x̂)², h the importance. Tried are 1, 0.99 … 0.01 of
 * the extremes: both ends together and, where there is a zero point, then each end alone. Of equals the widest.
 */
export function leastErrorRange(shared: SharedValues, use: RangeUse): Range {
  const { min, max } = shared;
  let best: Range = { low: min, high: max };
  let least = Number.POSITIVE_INFINITY;
  const tryAll = (candidate: (share: number) => Range): void => {
    for (let k = steps; k > 0; k--) {
      const range = candidate(k / steps);
      const error = errorWithin(shared, range, use, least);
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
    tryAll((share) => ({ low: best.low, high: share * max }));
    tryAll((share) => ({ low: share * min, high: best.high }));
  }
  return best;
}

const steps = 100;

/** Σ h·(x − x̂)² of what would be stored; given up from `limit` on. */
function errorWithin({ values, importance }: SharedValues, range: Range, use: RangeUse, limit: number): number {
  const { scale, zeroPoint } = affineFromRange(range.low, range.high, use.dtype, use);
  const codes = affineCodes(use.dtype, use);
  const [lowest, highest] = [codes.min - zeroPoint, codes.max - zeroPoint];
  let sum = 0;
  for (let i = 0; i < values.length && sum < limit; i++) {
    const x = values[i];
    const q = roundHalfEven(Math.fround(x / scale));
    const d = x - Math.fround((q < lowest ? lowest : q > highest ? highest : q) * scale);
    sum += importance === undefined ? d * d : importance[i] * d * d;
  }
  return sum;
}
