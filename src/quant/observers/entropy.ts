import { affineCodes } from "#quant/affine";
import { clippedTo, histogramOf } from "#quant/observers/histogram";
import type { Observer, Range } from "#quant/observers/types";
import { logarithm } from "#math/logarithm";
import type { Histogram, Summary } from "#quant/summary";

/**
 * The clipping range whose quantized distribution diverges least from the true one (Migacz, "8-bit Inference with TensorRT",
 * GTC 2017). For each candidate: P = the histogram with everything outside folded into the edge bins; Q = P's mass inside each
 * code's interval spread evenly over that interval's non-empty bins; take the least KL(P‖Q) = Σ p·ln(p/q).
 *
 * The edge bins carry the folded mass in P but only their own in Q, which is what makes clipping cost something.
 */
export const entropy: Observer = {
  name: "entropy",
  needsHistogram: true,
  range(summary, _rule, use) {
    const histogram = coarsen(histogramOf(summary), 2048);
    const codes = affineCodes(use.dtype, use);
    const levels = codes.max - codes.min + 1;
    const largest = Math.max(-summary.min, summary.max);
    let best: Range = { low: summary.min, high: summary.max };
    let least = Number.POSITIVE_INFINITY;
    for (let k = candidates; k >= 1; k--) {
      const range = clippedTo(summary, (largest * k) / candidates);
      if ((range.high - range.low) / histogram.width < levels && k < candidates) break;
      const divergence = klDivergence(histogram, range, levels, summary);
      if (divergence < least) {
        least = divergence;
        best = range;
      }
    }
    return best;
  },
};

const candidates = 128;

/** Neighbouring bins added until at most `bins` are left: the method's usual resolution, and its cost grows with it. */
function coarsen({ width, first, counts }: Histogram, bins: number): Histogram {
  if (counts.length <= bins) return { width, first, counts };
  const half = Math.floor(first / 2);
  const sums = new Float64Array(Math.floor((first + counts.length - 1) / 2) - half + 1);
  for (let i = 0; i < counts.length; i++) sums[Math.floor((first + i) / 2) - half] += counts[i];
  return coarsen({ width: width * 2, first: half, counts: sums }, bins);
}

/** KL(P‖Q) for one clipping range; +∞ when nothing lies inside. */
export function klDivergence(histogram: Histogram, range: Range, levels: number, summary: Summary): number {
  const { width, first, counts } = histogram;
  const from = Math.max(0, Math.floor(range.low / width) - first);
  const to = Math.min(counts.length - 1, Math.floor(range.high / width) - first);
  if (to < from) return Number.POSITIVE_INFINITY;
  const bins = to - from + 1;
  let below = 0;
  let above = 0;
  for (let i = 0; i < from; i++) below += counts[i];
  for (let i = to + 1; i < counts.length; i++) above += counts[i];
  const inside = summary.count - below - above;
  if (inside <= 0) return Number.POSITIVE_INFINITY;
  let divergence = 0;
  for (let level = 0; level < levels; level++) {
    const start = from + Math.floor((level * bins) / levels);
    const end = from + Math.floor(((level + 1) * bins) / levels);
    let mass = 0;
    let occupied = 0;
    for (let i = start; i < end; i++) {
      mass += counts[i];
      if (counts[i] > 0 || (i === from && below > 0) || (i === to && above > 0)) occupied++;
    }
    if (occupied === 0) continue;
    // a folded-into bin with no mass of its own still needs q > 0
    const q = Math.max(mass, 1e-9) / occupied / inside;
    for (let i = start; i < end; i++) {
      const p = (counts[i] + (i === from ? below : 0) + (i === to ? above : 0)) / summary.count;
      if (p > 0) divergence += p * logarithm(p / q);
    }
  }
  return divergence;
}
