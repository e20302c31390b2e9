/**
 * What a model is: its file, its layers with their work and weights, what its bytes go to, what it would weigh in other formats, how it
 * is quantized if it is, and what could hurt. Works on any ONNX file and runs nothing; one weight is in memory at a time.
 */
import type { Diagnostic } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { subgraphs } from "#model/attributes";
import type { Dim, Graph, Model, Node, ValueInfo } from "#model/model";
import { inferShapes, type ShapeMap } from "#model/shapes";
import { sizeOf } from "#model/tensor";
import { type ConstantGroup, constantGroups } from "#report/constantGroups";
import { decodedWeight } from "#report/decodedWeight";
import { duplicateWeights } from "#report/duplicates";
import { formatBytes, formatCount, plural } from "#report/format";
import { channelAxis, computes, parametersOf } from "#report/graph/learned";
import { lints } from "#report/lints";
import { type MemoryUse, memoryOf } from "#report/memory";
import { ledgerOfGroups } from "#report/sizeLedger";
import type { LedgerRow } from "#report/types";
import { statisticsOf, type WeightStatistics, weightStatistics } from "#report/weightStatistics";
import { wouldWeigh } from "#report/wouldWeigh";
import { runnableGraph, type StepWork, workOf, type WorkloadOptions } from "#report/workload";
import { int8Kernel } from "#targets/int8Kernels";

export interface InspectedValue {
  readonly name: string;
  /** "float32", or what kind of value it is. */
  readonly type: string;
  /** Sizes, symbols, and null where nothing is said; undefined where even the rank is not. */
  readonly shape: readonly Dim[] | undefined;
}

export interface InspectedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** As stored. → "float32", "int8/channel" */
  readonly scheme: string;
  readonly parameters: number;
  /** With scales, zero points and padding. */
  readonly bytes: number;
  readonly tied: boolean;
  /** Undefined for vectors, and for codes that are too many to decode. */
  readonly statistics?: WeightStatistics;
}

export interface InspectedLayer {
  readonly name: string;
  readonly op: string;
  /** Of its first output, as far as it is known. */
  readonly shape: readonly Dim[] | undefined;
  readonly macs: number;
  /** → "float32", "int8×int8" */
  readonly arithmetic: string;
  readonly parameters: number;
  readonly bytes: number;
  readonly weights: readonly InspectedWeight[];
}

export interface InspectedOperator {
  readonly op: string;
  readonly domain: string;
  readonly count: number;
  /** How many of them runtimes can compute on 8-bit codes. */
  readonly int8Kernels: number;
}

export interface Inspection {
  readonly version: 1;
  readonly file: {
    readonly name: string;
    /** Of the model, and the file of its weights if it has one. */
    readonly bytes: number;
    readonly opsets: Readonly<Record<string, number>>;
    readonly irVersion: number;
    readonly producer: string;
    readonly functions: number;
  };
  readonly inputs: readonly InspectedValue[];
  readonly outputs: readonly InspectedValue[];
  /** Sizes that nobody gave, as work and memory were counted with. → "ids [1, 1]" */
  readonly assumed: readonly string[];
  readonly totals: {
    readonly nodes: number;
    readonly parameters: number;
    readonly macs: number;
    /** Modelled, batch 1 unless told otherwise. */
    readonly memory: Pick<MemoryUse, "weightBytes" | "activationBytes" | "peakAt">;
  };
  /** Nodes that multiply or have weights, in the order they run. */
  readonly layers: readonly InspectedLayer[];
  readonly operators: readonly InspectedOperator[];
  readonly size: { readonly ledger: readonly LedgerRow[]; readonly entropyCodedBytes: number };
  /** Bytes that the file would have with its large weights in another format; computed, not written. */
  readonly wouldWeigh: readonly { readonly scheme: string; readonly bytes: number }[];
  /** How the weights are stored where not as floats; empty for a float model. */
  readonly quantized: readonly QuantizedWeights[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface QuantizedWeights {
  readonly scheme: string;
  readonly weights: number;
  readonly parameters: number;
  /** As stored, with all that decoding needs. */
  readonly bitsPerWeight: number;
}

export interface InspectOptions extends WorkloadOptions, JobOptions {
  /** Bytes of the file and its weights file. Default: what the model was read from, and ranges in other files. */
  readonly fileBytes?: number;
}

export async function inspect(model: Model, options: InspectOptions = {}): Promise<Inspection> {
  const runnable = await runnableGraph(model, options);
  const { shapes, model: flat } = runnable;
  const work = workOf(runnable);
  const groups = constantGroups(flat, shapes);
  const stored = flat === model ? groups : constantGroups(model, await inferShapes(model));
  const fileBytes = options.fileBytes ?? bytesOfFiles(model, stored);
  const size = await ledgerOfGroups(stored, fileBytes);
  const weights = await inspectWeights(flat, groups, options);
  const memory = memoryOf(runnable);
  const parameters = groups.reduce((sum, group) => sum + parametersOf(group), 0);
  const equal = await duplicateWeights(stored);
  return {
    version: 1,
    file: {
      name: model.origin?.name ?? model.graph.name,
      bytes: fileBytes,
      opsets: Object.fromEntries([...model.opsets].map(([domain, version]) => [domain || "ai.onnx", version])),
      irVersion: model.irVersion,
      producer: `${model.producer.name} ${model.producer.version}`.trim(),
      functions: model.functions.length,
    },
    inputs: model.graph.inputs.map((info) => inspectedValue(info)),
    outputs: model.graph.outputs.map((info) => inspectedValue(info, shapes)),
    assumed: work.assumed,
    totals: {
      nodes: allNodes(model.graph).length,
      parameters,
      macs: work.steps.reduce((sum, { macs, times }) => sum + macs * times, 0),
      memory: { weightBytes: memory.weightBytes, activationBytes: memory.activationBytes, peakAt: memory.peakAt },
    },
    layers: layersOf(work.steps, groups, weights, shapes),
    operators: operatorsOf(model),
    size: { ledger: size.rows, entropyCodedBytes: size.entropyCodedBytes },
    wouldWeigh: wouldWeigh(size.rows, stored, fileBytes),
    quantized: quantizedAs(groups),
    diagnostics: [
      ...nonFinite(weights),
      ...lints(flat, shapes, groups),
      ...equal.map(storedTwice),
      ...(work.uncounted.length === 0 ? [] : [notCounted(work.uncounted)]),
    ],
  };
}

/** The size of the model's file, and of the parts of other files that its weights lie in. */
function bytesOfFiles(model: Model, groups: readonly ConstantGroup[]): number {
  const tensors = groups.flatMap(({ members }) => members);
  const own = model.origin?.size ?? tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const elsewhere = new Map<string, number>();
  for (const { ref } of tensors) {
    if (ref?.data.kind !== "range" || model.origin === undefined || ref.data.source.name === model.origin.name)
      continue;
    elsewhere.set(`${ref.data.source.name}\0${ref.data.offset}`, ref.data.length);
  }
  return [...elsewhere.values()].reduce((sum, bytes) => sum + bytes, own);
}

/** As declared or, where the file says nothing of it, as inferred. */
function inspectedValue({ name, type }: ValueInfo, shapes?: ShapeMap): InspectedValue {
  if (type?.kind === "tensor") return { name, type: type.element ?? "unknown", shape: type.shape };
  const known = shapes?.get(name);
  return { name, type: type?.kind ?? known?.element ?? "unknown", shape: known?.shape };
}

function allNodes(graph: Graph): Node[] {
  return graph.nodes.flatMap((node) => [node, ...subgraphs(node).flatMap(allNodes)]);
}

async function inspectWeights(
  model: Model,
  groups: readonly ConstantGroup[],
  options: JobOptions,
): Promise<Map<ConstantGroup, InspectedWeight>> {
  const found = new Map<ConstantGroup, InspectedWeight>();
  const weights = groups.filter(({ role }) => role === "weight");
  for (const [i, group] of weights.entries()) {
    throwIfAborted(options.signal);
    const { name, stored, members, tied } = group;
    const statistics = stored.shape.length < 2 ? undefined : await statisticsOfGroup(model, group);
    found.set(group, {
      name,
      shape: stored.shape,
      scheme: stored.text,
      parameters: sizeOf(stored.shape),
      bytes: members.reduce((sum, tensor) => sum + tensor.bytes, 0),
      tied,
      ...(statistics === undefined ? {} : { statistics }),
    });
    options.onProgress?.({ stage: "inspect weights", done: i + 1, total: weights.length });
  }
  return found;
}

async function statisticsOfGroup(model: Model, group: ConstantGroup): Promise<WeightStatistics | undefined> {
  const { name, stored, codes } = group;
  const axis = channelAxis(group);
  const labels = { name, scheme: stored.text, ...(axis === undefined ? {} : { axis }) };
  if (codes.ref !== undefined && stored.per === undefined && /float(16|32|64)$/.test(stored.text))
    return weightStatistics(codes.ref, labels);
  const numbers = await decodedWeight(model, group);
  return numbers && statisticsOf([numbers], stored.shape, labels);
}

function layersOf(
  steps: readonly StepWork[],
  groups: readonly ConstantGroup[],
  weights: ReadonlyMap<ConstantGroup, InspectedWeight>,
  shapes: ShapeMap,
): InspectedLayer[] {
  const read = new Map<Node, Set<ConstantGroup>>();
  for (const group of groups) {
    for (const { node } of group.role === "weight" ? group.uses : [])
      if (node !== undefined) read.set(node, (read.get(node) ?? new Set()).add(group));
  }
  return steps.flatMap((step): InspectedLayer[] => {
    const { node, macs, arithmetic, times } = step;
    const own = [...(read.get(node) ?? [])].flatMap((group) => weights.get(group) ?? []);
    if (macs === 0 && !(computes(node) && own.some(({ shape }) => shape.length >= 2))) return [];
    const sum = (part: "parameters" | "bytes"): number => own.reduce((total, weight) => total + weight[part], 0);
    return [
      {
        name: node.name || node.outputs[0],
        op: node.op,
        shape: shapes.get(node.outputs[0])?.shape,
        macs: macs * times,
        arithmetic:
          arithmetic.kind === "integer"
            ? arithmetic.bits.map((bits) => `int${bits}`).join("×")
            : `float${arithmetic.bits}`,
        parameters: sum("parameters"),
        bytes: sum("bytes"),
        weights: own,
      },
    ];
  });
}

function operatorsOf(model: Model): InspectedOperator[] {
  const opset = model.opsets.get("") ?? 0;
  const found = new Map<string, InspectedOperator>();
  for (const node of [...allNodes(model.graph), ...model.functions.flatMap((fn) => fn.nodes)]) {
    const { op, domain } = node;
    const key = `${domain}:${op}`;
    const before = found.get(key) ?? { op, domain, count: 0, int8Kernels: 0 };
    const kernels = before.int8Kernels + (int8Kernel(node, opset) === undefined ? 0 : 1);
    found.set(key, { ...before, count: before.count + 1, int8Kernels: kernels });
  }
  return [...found.values()].sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));
}

function quantizedAs(groups: readonly ConstantGroup[]): Inspection["quantized"] {
  const found = new Map<
    string,
    Omit<QuantizedWeights, "bitsPerWeight"> & { readonly bytes: number; readonly count: number }
  >();
  for (const group of groups) {
    const { text, bits } = group.stored;
    // int32 is what biases beside int8 weights are stored in
    if (group.role !== "weight" || bits >= 32 || bits === 0) continue;
    const { weights, parameters, bytes, count } = found.get(text) ?? { weights: 0, parameters: 0, bytes: 0, count: 0 };
    found.set(text, {
      scheme: text,
      weights: weights + 1,
      parameters: parameters + parametersOf(group),
      count: count + sizeOf(group.stored.shape),
      bytes: group.members.reduce((sum, tensor) => sum + tensor.bytes, bytes),
    });
  }
  return [...found.values()]
    .map(({ bytes, count, ...row }) => ({ ...row, bitsPerWeight: (8 * bytes) / Math.max(1, count) }))
    .sort((a, b) => b.parameters - a.parameters);
}

function nonFinite(weights: ReadonlyMap<ConstantGroup, InspectedWeight>): Diagnostic[] {
  return [...weights.values()].flatMap(({ name, parameters, statistics }): Diagnostic[] => {
    const count = statistics?.nonFinite ?? 0;
    if (count === 0) return [];
    return [
      {
        code: "lint/non-finite",
        level: "warning",
        message: `${formatCount(count)} of ${formatCount(parameters)} values of ${name} are NaN or infinite`,
        at: { tensor: name },
        hint: "repair the weights in training; as they are they cannot be quantized",
      },
    ];
  });
}

function storedTwice(set: readonly ConstantGroup[]): Diagnostic {
  const [first, ...others] = set;
  return {
    code: "lint/duplicate-weights",
    level: "info",
    message: `${plural(set.length, "tensor")} with the content of ${first.name}: ${formatBytes(first.codes.bytes * others.length)} stored again`,
    at: { tensor: others[0].name },
    hint: `they are tied weights: let their nodes read ${first.name}`,
  };
}

function notCounted(uncounted: readonly string[]): Diagnostic {
  return {
    code: "report/uncounted",
    level: "info",
    message: `work and memory are more than counted: ${uncounted[0]}${uncounted.length > 1 ? `, and ${uncounted.length - 1} more` : ""}`,
    hint: "give the shapes of the inputs, if it is they that are not known",
  };
}
