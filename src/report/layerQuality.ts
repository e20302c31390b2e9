/**
 * How much of each value of a float model is left in the quantized one: SQNR = 10·log₁₀(Σx² / Σ(x − x̂)²), both models fed the same
 * samples. They run as one graph that also takes the differences and sums them up, so that two numbers a value come out, however large
 * the activations are.
 *
 * Values are compared by name. A value that only a QuantizeLinear reads is compared behind the DequantizeLinear after it: reading it
 * before would take the quantizer out of its fused kernel, and something else than the deployed model would be judged.
 */
import { type Diagnostic, LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import type { Model } from "#model/model";
import type { OpenSession } from "#model/session";
import { inferShapes } from "#model/shapes";
import { toNumbers } from "#model/tensor";
import { readsOf } from "#model/topology";
import type { EvaluationData } from "#report/evaluate";
import { type ComparedValue, comparedValues } from "#report/graph/comparedValues";
import { mergeModels } from "#report/graph/mergeModels";
import { addTrials, pairedLayers } from "#report/graph/pairedLayers";
import { type Pair, sumCount, sums, tapDifferences, tapOutput } from "#report/graph/tapDifferences";

export interface LayerQualityOptions extends JobOptions {
  readonly openSession: OpenSession;
  /** Samples to run, spread evenly over the data. Default 8, or all where there are fewer. */
  readonly samples?: number;
  /** Values compared in one session: the rest waits for the next. Default 500. */
  readonly chunk?: number;
}

export interface ValueQuality {
  /** Name of the value in the float model. */
  readonly value: string;
  /** The float model's node that computes it, by name or first output, and its operator. */
  readonly node: string;
  readonly op: string;
  /** Σx² and Σ(x − x̂)² over all samples; elements where x itself is NaN or infinite are left out. */
  readonly signal: number;
  readonly noise: number;
  /** Infinity: equal. NaN: the quantized model puts out NaN or infinities where the float one does not. */
  readonly sqnrDb: number;
  /** The worst SQNR among what the node reads. Infinity where all that is exact. */
  readonly arrivingDb: number;
  /** The compared value that is. */
  readonly arrivingFrom?: string;
  /** What its own quantizer alone does to the float value; undefined where it travels in float. */
  readonly quantizer?: QuantizerQuality;
}

/** A quantizer's own noise, apart from all that came before it. */
export interface QuantizerQuality {
  /** Its QuantizeLinear in the quantized model, by first output. */
  readonly node: string;
  readonly sqnrDb: number;
  /** SQNR if values outside of the range were its only loss; Infinity where none is. */
  readonly clippedDb: number;
  /** Root mean square of the values. */
  readonly rms: number;
}

/** A layer with weights. */
export interface WeightedLayer {
  /** The float model's node, by name or first output, its operator, and its output. */
  readonly node: string;
  readonly op: string;
  readonly output: string;
  /** Where it is compared: its output or, where that exists only inside a fused kernel, its activation's. */
  readonly at: ValueQuality;
  /** Whether its result is the model's answer, at most activated and moved. */
  readonly answers: boolean;
  /** SQNR of its output if nothing but its own weights were quantized; undefined where that was not tried. */
  readonly weightsDb: number | undefined;
}

export interface LayerQuality {
  /** By name of the value, in the order of the float graph. */
  readonly values: ReadonlyMap<string, ValueQuality>;
  /** Layers with weights, by their output in the float model. */
  readonly layers: ReadonlyMap<string, WeightedLayer>;
  readonly samples: number;
  /** Values of the float model that the quantized one has not under their name. */
  readonly missing: number;
  /** Why there is nothing to compare, or less than there could be. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Compares layer by layer. What cannot be compared is left out or told; only an interruption is thrown. */
export async function layerQuality(
  float: Model,
  quantized: Model,
  data: EvaluationData,
  options: LayerQualityOptions,
): Promise<LayerQuality> {
  const samples = Math.min(options.samples ?? 8, data.length);
  const nothing = (message: string, missing = 0): LayerQuality => ({
    values: new Map(),
    layers: new Map(),
    samples,
    missing,
    diagnostics: [{ code: "report/layers", level: "warning", message: `the layers were not compared: ${message}` }],
  });
  if (samples === 0) return nothing("there are no samples");
  try {
    const [a, b] = [
      { model: float, shapes: await inferShapes(float) },
      { model: quantized, shapes: await inferShapes(quantized) },
    ];
    const { values, missing } = comparedValues(a, b);
    if (!values.some(({ node }) => node !== undefined))
      return nothing("no value of the float model has its name and shape in the quantized one", missing);
    const merged = await mergeModels(float, quantized);
    if (typeof merged === "string") return nothing(merged, missing);
    const layers = pairedLayers(float, quantized, values);
    const pairs = values.map(
      ({ value, twin, quantizer }): Pair => ({
        value,
        twin: merged.renamed(twin),
        quantizer: quantizer?.inputs.slice(1).map(merged.renamed),
      }),
    );
    const tried = addTrials(merged, layers);
    const rows = await sumPairs(tried.model, [...pairs, ...tried.pairs], data, { ...options, samples });
    const judged = judge(float, values, rows);
    const weighted = layers.flatMap(({ node, compared, answers }, i): [string, WeightedLayer][] => {
      const at = judged.get(compared.value);
      const row = tried.rows[i];
      const weightsDb =
        row === undefined
          ? undefined
          : decibels(sumOf(rows, pairs.length + row, "signal"), sumOf(rows, pairs.length + row, "noise"));
      const [output] = node.outputs;
      return at === undefined
        ? []
        : [[output, { node: node.name || output, op: node.op, output, at, answers, weightsDb }]];
    });
    return { values: judged, layers: new Map(weighted), samples, missing, diagnostics: [] };
  } catch (error) {
    if (!(error instanceof LowbitError) || error.code === "run/interrupted") throw error;
    return nothing(`${error.message} [${error.code}]`);
  }
}

/** `sums` of every pair over the samples, one row of `sumCount` numbers a pair. */
async function sumPairs(
  model: Model,
  pairs: readonly Pair[],
  data: EvaluationData,
  options: LayerQualityOptions & { readonly samples: number },
): Promise<Float64Array> {
  const rows = new Float64Array(pairs.length * sumCount);
  await addSums(model, pairs, [...pairs.keys()], data, false, rows, options);
  // a mask of −∞ makes its sums NaN: such values are summed again without it, and all others are spared the work
  const broken = [...pairs.keys()].filter((i) =>
    rows.subarray(i * sumCount, (i + 1) * sumCount).some((sum) => !Number.isFinite(sum)),
  );
  for (const i of broken) rows.fill(0, i * sumCount, (i + 1) * sumCount);
  await addSums(model, pairs, broken, data, true, rows, options);
  return rows;
}

async function addSums(
  model: Model,
  pairs: readonly Pair[],
  indices: readonly number[],
  data: EvaluationData,
  finiteOnly: boolean,
  rows: Float64Array,
  options: LayerQualityOptions & { readonly samples: number },
): Promise<void> {
  const { samples, chunk = 500, openSession, signal, onProgress } = options;
  for (let at = 0; at < indices.length; at += chunk) {
    const part = indices.slice(at, at + chunk);
    const session = await openSession(
      tapDifferences(
        model,
        part.map((i) => pairs[i]),
        finiteOnly,
      ),
    );
    try {
      for (let s = 0; s < samples; s++) {
        throwIfAborted(signal);
        const { inputs } = await data.sample(Math.floor((s * data.length) / samples));
        const result = await session.run(Object.fromEntries(session.inputNames.map((name) => [name, inputs[name]])));
        const added = toNumbers(result[tapOutput]);
        for (const [k, i] of part.entries())
          for (let sum = 0; sum < sumCount; sum++) rows[i * sumCount + sum] += added[k * sumCount + sum];
        onProgress?.({
          stage: "compare layers",
          done: at * samples + (s + 1) * part.length,
          total: indices.length * samples,
        });
      }
    } finally {
      await session.close();
    }
  }
}

function sumOf(rows: Float64Array, i: number, kind: keyof typeof sums): number {
  return rows[i * sumCount + sums[kind]];
}

function judge(float: Model, values: readonly ComparedValue[], rows: Float64Array): Map<string, ValueQuality> {
  const sum = (i: number, kind: keyof typeof sums): number => sumOf(rows, i, kind);
  const db = new Map(values.map(({ value }, i) => [value, decibels(sum(i, "signal"), sum(i, "noise"))]));
  const arriving = worstArriving(float, db);
  return new Map(
    values.flatMap(({ value, node, quantizer }, i): [string, ValueQuality][] => {
      if (node === undefined) return [];
      const signal = sum(i, "signal");
      const own: QuantizerQuality | undefined = quantizer && {
        node: quantizer.outputs[0],
        sqnrDb: decibels(signal, sum(i, "rounding")),
        clippedDb: decibels(signal, sum(i, "clipping")),
        rms: Math.sqrt(signal / Math.max(1, sum(i, "elements"))),
      };
      const { db: arrivingDb, from } = arriving.get(value) ?? { db: Number.POSITIVE_INFINITY, from: undefined };
      const quality: ValueQuality = {
        value,
        node: node.name || node.outputs[0],
        op: node.op,
        signal,
        noise: sum(i, "noise"),
        sqnrDb: db.get(value) ?? Number.NaN,
        arrivingDb,
        ...(from === undefined ? {} : { arrivingFrom: from }),
        ...(own === undefined ? {} : { quantizer: own }),
      };
      return [[value, quality]];
    }),
  );
}

function decibels(signal: number, noise: number): number {
  if (Number.isNaN(signal) || !Number.isFinite(noise)) return Number.NaN;
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

interface Arriving {
  readonly db: number;
  readonly from: string | undefined;
}

/** Of each node's output, the worst SQNR among what the node reads; what was not compared hands on what arrived there. */
function worstArriving(float: Model, db: ReadonlyMap<string, number>): Map<string, Arriving> {
  const exact: Arriving = { db: Number.POSITIVE_INFINITY, from: undefined };
  const carried = new Map<string, Arriving>();
  for (const { name } of float.graph.inputs) carried.set(name, { db: db.get(name) ?? exact.db, from: name });
  const arriving = new Map<string, Arriving>();
  for (const node of float.graph.nodes) {
    let worst = exact;
    for (const name of readsOf(node)) {
      const read = carried.get(name);
      // NaN is worse than anything
      if (read !== undefined && !(read.db >= worst.db)) worst = read;
    }
    for (const name of node.outputs) {
      const own = db.get(name);
      arriving.set(name, worst);
      carried.set(name, own === undefined ? worst : { db: own, from: name });
    }
  }
  return arriving;
}
