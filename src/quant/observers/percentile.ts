import { histogramOf } from "#quant/observers/histogram";
import type { Observer } from "#quant/observers/types";
import type { Histogram } from "#quant/summary";

/** Leaves out (100 − p) % of the values, half at each end; inside a bin values are taken to be spread evenly. */
export const percentile: Observer = {
  name: "percentile",
  needsHistogram: true,
  range(summary, rule) {
    const p = rule.by === "percentile" ? rule.p : 100;
    const outside = ((100 - p) / 200) * summary.count;
    const histogram = histogramOf(summary);
    const low = Math.max(summary.min, quantile(histogram, outside));
    const high = Math.min(summary.max, quantile(histogram, summary.count - outside));
    return { low, high: Math.max(low, high) };
  },
};

/** The value below which `rank` values lie. */
function quantile({ width, first, counts }: Histogram, rank: number): number {
  let below = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] > 0 && below + counts[i] >= rank) return (first + i + (rank - below) / counts[i]) * width;
    below += counts[i];
  }
  return (first + counts.length) * width;
}
