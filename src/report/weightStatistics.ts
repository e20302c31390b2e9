/**
 * What a weight looks like to a quantizer: its range, how far its extremes stick out, how unlike its channels are. One pass over the
 * values, a few megabytes at a time.
 */
import type { TensorRef } from "#model/model";
import { sizeOf } from "#model/tensor";
import { emptySummary, mergeSummaries, type Summary, summarize } from "#quant/summary";
import type { HistogramReport } from "#report/types";
import { numberPieces } from "#report/weightPieces";

export interface WeightStatistics {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly absmax: number;
  readonly mean: number;
  /** Standard deviation. */
  readonly std: number;
  /** Fourth moment over the squared variance: 3 for a Gauss distribution, more with long tails. */
  readonly kurtosis: number;
  /** Largest distance from the mean in standard deviations; about 5 for a million Gaussian values. */
  readonly outlierSigmas: number;
  /** Share of the values beyond six standard deviations; of Gaussian ones two in a billion. */
  readonly beyondSixSigma: number;
  /** Largest channel's absmax over the middle one's: what a scale for the whole tensor costs a typical channel. 1 without channels. */
  readonly channelSpread: number;
  /** Values that are NaN or infinite; all other figures leave them out. */
  readonly nonFinite: number;
  /** Up to 64 bins over [min, max]. */
  readonly histogram: HistogramReport;
}

export interface StatisticsOptions {
  /** Axis of the output channels. Default: none. */
  readonly axis?: number;
  /** For the histogram's labels. Default the tensor's name and type. */
  readonly name?: string;
  readonly scheme?: string;
}

/** Statistics of a stored float tensor. */
export async function weightStatistics(ref: TensorRef, options: StatisticsOptions = {}): Promise<WeightStatistics> {
  const { name = ref.name, scheme = ref.element } = options;
  return statisticsOf(numberPieces(ref), ref.dims, { ...options, name, scheme });
}

type Pieces = AsyncIterable<ArrayLike<number>> | Iterable<ArrayLike<number>>;

/** Statistics of values that come in pieces, in the order of a tensor of `dims`. */
export async function statisticsOf(
  pieces: Pieces,
  dims: readonly number[],
  { axis, name = "", scheme = "float32" }: StatisticsOptions = {},
): Promise<WeightStatistics> {
  const channels = axis === undefined ? 1 : (dims[axis] ?? 1);
  const inner = axis === undefined ? Math.max(1, sizeOf(dims)) : sizeOf(dims.slice(axis + 1));
  const largest = new Float64Array(channels);
  const sums: Sums = { shift: Number.NaN, powers: [0, 0, 0, 0], nonFinite: 0, at: 0 };
  let summary: Summary = emptySummary;
  for await (const piece of pieces) {
    const before = sums.nonFinite;
    addPiece(piece, inner, largest, sums);
    const finite = sums.nonFinite === before ? piece : Float64Array.from(piece).filter((x) => x - x === 0);
    summary = mergeSummaries(summary, summarize(finite, true));
  }
  const { count, min, max, histogram } = summary;
  const range = count === 0 ? { min: 0, max: 0 } : { min, max };
  const moments = momentsOf(sums, count);
  const { mean, std } = moments;
  const far = Math.max(range.max - mean, mean - range.min);
  return {
    count,
    ...range,
    absmax: Math.max(range.max, -range.min, 0),
    ...moments,
    outlierSigmas: std > 0 ? far / std : 0,
    beyondSixSigma: std > 0 ? shareBeyond(summary, mean, 6 * std) : 0,
    channelSpread: spreadOf(largest),
    nonFinite: sums.nonFinite,
    histogram: { tensor: name, scheme, levels: [], ...coarse(histogram) },
  };
}

interface Sums {
  /** The first value: powers are taken about it, so that a mean far from 0 does not cancel digits. */
  shift: number;
  powers: readonly number[];
  nonFinite: number;
  /** Elements seen. */
  at: number;
}

/** The hot loop: its sums in locals, its channel counted along. */
function addPiece(piece: ArrayLike<number>, inner: number, largest: Float64Array, sums: Sums): void {
  let [s1, s2, s3, s4] = sums.powers;
  let { shift } = sums;
  let channel = Math.floor(sums.at / inner) % largest.length;
  let left = inner - (sums.at % inner);
  let broken = 0;
  for (let i = 0; i < piece.length; i++) {
    const x = piece[i];
    if (x - x === 0) {
      if (shift !== shift) shift = x;
      const d = x - shift;
      const d2 = d * d;
      s1 += d;
      s2 += d2;
      s3 += d2 * d;
      s4 += d2 * d2;
      const size = x < 0 ? -x : x;
      if (size > largest[channel]) largest[channel] = size;
    } else broken++;
    if (--left === 0) {
      left = inner;
      if (++channel === largest.length) channel = 0;
    }
  }
  sums.shift = shift;
  sums.powers = [s1, s2, s3, s4];
  sums.nonFinite += broken;
  sums.at += piece.length;
}

function momentsOf(
  { shift, powers }: Sums,
  count: number,
): { readonly mean: number; readonly std: number; readonly kurtosis: number } {
  if (count === 0) return { mean: 0, std: 0, kurtosis: 0 };
  const [m1, m2, m3, m4] = powers.map((sum) => sum / count);
  const variance = Math.max(0, m2 - m1 * m1);
  const fourth = m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1 ** 4;
  return { mean: shift + m1, std: Math.sqrt(variance), kurtosis: variance > 0 ? fourth / (variance * variance) : 0 };
}

function shareBeyond({ count, histogram }: Summary, mean: number, distance: number): number {
  if (histogram === undefined) return 0;
  const { width, first, counts } = histogram;
  let beyond = 0;
  for (let i = 0; i < counts.length; i++)
    if (Math.abs((first + i + 0.5) * width - mean) > distance) beyond += counts[i];
  return beyond / count;
}

/** Largest over middle; channels that are all zero are pruned, not small. */
function spreadOf(largest: Float64Array): number {
  const sizes = largest.filter((size) => size > 0).sort();
  return sizes.length === 0 ? 1 : sizes[sizes.length - 1] / sizes[sizes.length >> 1];
}

/** At most 64 bins, each of so many of the fine ones. */
function coarse(histogram: Summary["histogram"]): Pick<HistogramReport, "low" | "width" | "counts"> {
  if (histogram === undefined) return { low: 0, width: 1, counts: [] };
  const { width, first, counts } = histogram;
  const merged = Math.ceil(counts.length / 64);
  const bins = Array.from({ length: Math.ceil(counts.length / merged) }, () => 0);
  for (let i = 0; i < counts.length; i++) bins[Math.floor(i / merged)] += counts[i];
  return { low: first * width, width: width * merged, counts: bins };
}
