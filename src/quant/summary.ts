/**
 * What calibration keeps of a tensor: a few numbers and, where asked for, a histogram. Constant in memory, and mergeable: any
 * split of the data over batches or workers, merged in any order, gives the same summary bit for bit.
 *
 * The histogram makes that so: bins are [k·w, (k+1)·w) for a power of two w, so two histograms always share an edge grid, and the
 * finer is brought to the coarser by adding neighbouring bins. w is the smallest that covers the data with `maxBins` bins.
 */
import { sharedKernels } from "#kernels/shared";
import { exponentOf } from "#math/minifloat";

/** 4,096 to 8,192 bins in use: a 60σ outlier leaves the bulk bins of σ/64 or finer. */
export const maxBins = 8192;

export interface Histogram {
  /** A power of two. */
  readonly width: number;
  /** Bin i covers [(first + i)·width, (first + i + 1)·width). */
  readonly first: number;
  readonly counts: Float64Array;
}

export interface Summary {
  /** Values seen. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Samples seen, and the sums of their minima and maxima: their means are the "average" range. */
  readonly samples: number;
  readonly sumOfMin: number;
  readonly sumOfMax: number;
  readonly histogram?: Histogram;
}

export const emptySummary: Summary = {
  count: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  samples: 0,
  sumOfMin: 0,
  sumOfMax: 0,
};

/**
 * The bins of a histogram over [min, max]. The width follows from the largest magnitude alone: 2^(e+1) > |x| gets half of `maxBins`. It
 * is never so small that 1/width would be no float32, also where all values are 0.
 */
export function binsFor(
  min: number,
  max: number,
): { readonly width: number; readonly first: number; readonly length: number } {
  const largest = Math.max(Math.abs(min), Math.abs(max));
  const width = Math.max(2 ** (exponentOf(largest) + 2) / maxBins, 2 ** -126);
  const first = Math.floor(min / width);
  return { width, first, length: Math.floor(max / width) - first + 1 };
}

/** Summary of one sample's values. Values must be finite. */
export function summarize(values: ArrayLike<number>, withHistogram = false): Summary {
  if (values.length === 0) return emptySummary;
  const { min, max } = extremesOf(values);
  const summary: Summary = { count: values.length, min, max, samples: 1, sumOfMin: min, sumOfMax: max };
  if (!withHistogram) return summary;
  const { width, first, length } = binsFor(min, max);
  const counts = new Float64Array(length);
  if (values instanceof Float32Array) sharedKernels().histogram(values, width, first, counts);
  else for (let i = 0; i < values.length; i++) counts[Math.floor(values[i] / width) - first]++;
  return { ...summary, histogram: { width, first, counts } };
}

function extremesOf(values: ArrayLike<number>): { readonly min: number; readonly max: number } {
  if (values instanceof Float32Array) {
    const [low, high] = [new Float32Array(1), new Float32Array(1)];
    sharedKernels().extremes(values, values.length, low, high);
    if (low[0] <= high[0]) return { min: low[0], max: high[0] };
  }
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v < min) min = v;
    if (v > max) max = v;
  }
  return { min: min + 0, max: max + 0 };
}

/** The summary of both samples' values together. */
export function mergeSummaries(a: Summary, b: Summary): Summary {
  const merged: Summary = {
    count: a.count + b.count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    samples: a.samples + b.samples,
    sumOfMin: a.sumOfMin + b.sumOfMin,
    sumOfMax: a.sumOfMax + b.sumOfMax,
  };
  if (a.histogram === undefined) return b.histogram === undefined ? merged : { ...merged, histogram: b.histogram };
  return {
    ...merged,
    histogram: b.histogram === undefined ? a.histogram : mergeHistograms(a.histogram, b.histogram, merged),
  };
}

function mergeHistograms(a: Histogram, b: Histogram, range: { readonly min: number; readonly max: number }): Histogram {
  const bins = binsFor(range.min, range.max);
  const width = Math.max(bins.width, a.width, b.width);
  const first = Math.floor(range.min / width);
  const counts = new Float64Array(Math.floor(range.max / width) - first + 1);
  for (const part of [a, b]) {
    const shift = width / part.width;
    for (let i = 0; i < part.counts.length; i++) {
      // an edge bin of a pre-set grid may hold nothing beyond the data's range
      if (part.counts[i] !== 0) counts[Math.floor((part.first + i) / shift) - first] += part.counts[i];
    }
  }
  return { width, first, counts };
}
