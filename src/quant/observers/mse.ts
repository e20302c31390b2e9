import { affineCodes, affineFromRange } from "#quant/affine";
import { binMiddle, clippedTo, histogramOf } from "#quant/observers/histogram";
import type { Observer, Range, RangeUse } from "#quant/observers/types";
import { roundHalfEven } from "#math/round";
import type { Histogram } from "#quant/summary";

/**
 * The range with the least mean squared error of rounding and clipping together (field.md §1.6, MSE). First one clipping
 * threshold for both ends, then each end alone, both by refining grids.
 */
export const mse: Observer = {
  name: "mse",
  needsHistogram: true,
  range(summary, _rule, use) {
    const histogram = histogramOf(summary);
    const error = (range: Range): number => quantizationError(histogram, range, use);
    const largest = Math.max(-summary.min, summary.max);
    if (!(largest > 0)) return { low: summary.min, high: summary.max };
    const t = leastOver(largest / 64, largest, (threshold) => error(clippedTo(summary, threshold)));
    let best: Range = clippedTo(summary, t);
    if (use.symmetric || summary.min >= 0 || summary.max <= 0) return best;
    for (let sweep = 0; sweep < 2; sweep++) {
      const high = leastOver(summary.max / 64, summary.max, (candidate) => error({ low: best.low, high: candidate }));
      best = { low: best.low, high };
      const low = -leastOver(-summary.min / 64, -summary.min, (candidate) =>
        error({ low: -candidate, high: best.high }),
      );
      best = { low, high: best.high };
    }
    return best;
  },
};

/** Σ over bins of count·(x − x̂)², x the bin's middle. Steps finer than the bins are taken at their mean error s²/12. */
export function quantizationError(histogram: Histogram, range: Range, use: RangeUse): number {
  const { scale, zeroPoint } = affineFromRange(range.low, range.high, use.dtype, use);
  const codes = affineCodes(use.dtype, use);
  const low = (codes.min - zeroPoint) * scale;
  const high = (codes.max - zeroPoint) * scale;
  const even = (scale * scale) / 12;
  let sum = 0;
  for (let i = 0; i < histogram.counts.length; i++) {
    const count = histogram.counts[i];
    if (count === 0) continue;
    const x = binMiddle(histogram, i);
    if (x < low) sum += count * (low - x) * (low - x);
    else if (x > high) sum += count * (x - high) * (x - high);
    else if (scale < histogram.width) sum += count * even;
    else {
      const d = x - roundHalfEven(x / scale) * scale;
      sum += count * d * d;
    }
  }
  return sum;
}

/** Minimum of a nearly unimodal function: 32 points, then 16 around the best, twice. Prefers the widest range among equals. */
function leastOver(from: number, to: number, error: (x: number) => number): number {
  let best = to;
  let least = error(to);
  let step = (to - from) / 32;
  let center = (from + to) / 2;
  for (const half of [16, 8, 8]) {
    for (let k = half; k >= -half; k--) {
      const x = center + k * step;
      if (x < from || x > to) continue;
      const e = error(x);
      if (e < least) {
        least = e;
        best = x;
      }
    }
    center = best;
    step /= 8;
  }
  return best;
}
