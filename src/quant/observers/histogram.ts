/** What several observers ask of a histogram. */
import { LowbitError } from "#base/errors";
import type { Histogram, Summary } from "#quant/summary";

export function histogramOf(summary: Summary): Histogram {
  if (summary.histogram !== undefined) return summary.histogram;
  throw new LowbitError("plan/no-calibration", "this range rule needs histograms, and the statistics hold none", {
    hint: "calibrate again with the rule named",
  });
}

/** Middle of bin i, drawn inside [min, max] for the bins at the ends. */
export function binMiddle({ width, first }: Histogram, i: number): number {
  return (first + i + 0.5) * width;
}

/** Values that stand for a histogram's bins, one a bin. */
export function binMiddles(histogram: Histogram): Float64Array {
  return Float64Array.from(histogram.counts, (_, i) => binMiddle(histogram, i));
}

/** The range with everything beyond ±threshold clipped. */
export function clippedTo(summary: Summary, threshold: number): { low: number; high: number } {
  const low = Math.min(Math.max(summary.min, -threshold), threshold);
  return { low, high: Math.max(low, Math.min(summary.max, threshold)) };
}
