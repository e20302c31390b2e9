/**
 * What every quantizer makes of the same weights: bits stored against error, the rate–distortion plane. No model is run; how much
 * of a layer's error an answer feels is another question (see layerQuality).
 */
import { LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { createRng, seedFor } from "#base/rng";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix, quantizers, tensorScheme } from "#quant/quantizers/index";
import { storedBits } from "#quant/storedBits";
import type { Matrix, Quantizer } from "#quant/types";
import { log10 } from "#report/charts/scale";
import type { HistogramReport, QuantizerComparison, QuantizerRow } from "#report/types";

/** A weight to compare on, as a matrix whose rows are output channels. */
export interface ComparedWeight {
  readonly name: string;
  readonly load: () => Promise<Matrix>;
}

export interface CompareOptions extends JobOptions {
  /** Default: the examples of every quantizer. */
  readonly schemes?: readonly string[];
  readonly seed: number;
}

/** Distinct values that a picture shows of a scheme at the most. */
const mostLevels = 512;

/** One scheme of each kind, of every quantizer. */
export function allSchemes(): string[] {
  return Object.values<Quantizer>(quantizers).flatMap(({ examples }) => [...examples]);
}

/**
 * Quantizes each weight with each scheme, one weight in memory at a time. A scheme that does not fit a weight (a group that does not
 * divide) is told of by how many it skipped, and judged on the others. Throws usage/scheme and quant/non-finite.
 */
export async function compareQuantizers(
  model: string,
  weights: readonly ComparedWeight[],
  { schemes = allSchemes(), seed, signal, onProgress }: CompareOptions,
): Promise<QuantizerComparison> {
  const wishes = schemes.map((text) => tensorScheme(text));
  const sums = wishes.map(
    (): Sums => ({ signal: 0, noise: 0, bits: 0, count: 0, skipped: 0, why: "", kind: "", ms: 0 }),
  );
  let drawn: QuantizerComparison["tensor"];
  let elements = 0;
  for (const [i, { name, load }] of weights.entries()) {
    const x = await load();
    elements += x.values.length;
    const levels: { scheme: string; sqnrDb: number; bitsPerWeight: number; levels: readonly number[] }[] = [];
    for (const [k, wish] of wishes.entries()) {
      throwIfAborted(signal);
      const sum = sums[k];
      const start = performance.now();
      const found = attempt(() => {
        const q = quantizeMatrix(x, wish, { rng: createRng(seedFor(seed, name)) });
        return { q, decoded: dequantize(q) };
      });
      sum.ms += performance.now() - start;
      if (typeof found === "string") {
        sum.skipped++;
        sum.why ||= found;
      } else {
        const { q, decoded } = found;
        const energy = energies(x.values, decoded);
        const bits = storedBits(q).total;
        sum.signal += energy.signal;
        sum.noise += energy.noise;
        sum.bits += bits;
        sum.count += x.values.length;
        sum.kind = q.decoding.kind;
        if (weights.length === 1)
          levels.push({
            scheme: wish.text,
            sqnrDb: decibels(energy),
            bitsPerWeight: bits / Math.max(1, x.values.length),
            levels: distinct(decoded),
          });
      }
      onProgress?.({ stage: "compare", done: i * wishes.length + k + 1, total: weights.length * wishes.length });
    }
    if (weights.length === 1) drawn = { histogram: histogramOf(name, x.values), quantizers: levels };
  }
  const rows = wishes.map(({ quantizer, scheme, text }, k): QuantizerRow => {
    const { count, bits, skipped, why, kind, ms } = sums[k];
    return {
      scheme: text,
      quantizer: quantizer.name,
      decoding: kind,
      nominalBits: quantizer.nominalBits(scheme),
      bitsPerWeight: count === 0 ? null : bits / count,
      sqnrDb: count === 0 ? null : decibels(sums[k]),
      weights: count,
      skipped,
      ...(why === "" ? {} : { why }),
      seconds: ms / 1000,
    };
  });
  return {
    model,
    layers: weights.map(({ name }) => name),
    weights: elements,
    rows,
    ...(drawn === undefined ? {} : { tensor: drawn }),
  };
}

/** Schemes that no other beats in both bits and error. */
export function paretoFront(rows: readonly QuantizerRow[]): Set<QuantizerRow> {
  const judged = rows.filter(
    ({ bitsPerWeight, sqnrDb, skipped }) => bitsPerWeight !== null && sqnrDb !== null && skipped === 0,
  );
  const sorted = [...judged].sort((a, b) => a.bitsPerWeight! - b.bitsPerWeight! || b.sqnrDb! - a.sqnrDb!);
  const front = new Set<QuantizerRow>();
  let best = Number.NEGATIVE_INFINITY;
  for (const row of sorted) {
    if (row.sqnrDb! <= best) continue;
    best = row.sqnrDb!;
    front.add(row);
  }
  return front;
}

interface Sums {
  signal: number;
  noise: number;
  bits: number;
  count: number;
  skipped: number;
  why: string;
  kind: string;
  ms: number;
}

/** What does not fit is a message; what is wrong is thrown. */
function attempt<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (error instanceof LowbitError && error.code === "quant/scheme") return error.message;
    throw error;
  }
}

function energies(x: Float32Array, decoded: Float32Array): { readonly signal: number; readonly noise: number } {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < x.length; i++) {
    const error = x[i] - decoded[i];
    signal += x[i] * x[i];
    noise += error * error;
  }
  return { signal, noise };
}

function decibels({ signal, noise }: { readonly signal: number; readonly noise: number }): number {
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * log10(signal / noise);
}

/** Values that occur, in order; evenly chosen ones where there are too many to draw. */
function distinct(values: Float32Array): number[] {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  if (sorted.length <= mostLevels) return sorted;
  return Array.from({ length: mostLevels }, (_, i) => sorted[Math.floor((i * (sorted.length - 1)) / (mostLevels - 1))]);
}

function histogramOf(tensor: string, values: Float32Array): HistogramReport {
  const bins = 128;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (!(high > low))
    return {
      tensor,
      low: values.length === 0 ? 0 : low,
      width: 1,
      counts: [values.length],
      levels: [],
      scheme: "float32",
    };
  const width = (high - low) / bins;
  const counts = Array.from({ length: bins }, () => 0);
  for (const v of values) counts[Math.min(bins - 1, Math.floor((v - low) / width))]++;
  return { tensor, low, width, counts, levels: [], scheme: "float32" };
}
