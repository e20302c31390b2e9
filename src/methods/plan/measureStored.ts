/**
 * Measures what layers cost on stored codes: each distinct layer of a model alone, in float and as codes, in turn. Alone a layer
 * finds its weights in the cache, where a large model would fetch them from memory, so codes gain at least what is measured here.
 */
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { storedLayer, type StoredLayer } from "#methods/plan/storedLayers";
import { findWeights } from "#methods/plan/weights";
import { wishes } from "#methods/plan/wishes";
import type { Prepared } from "#methods/prepare";
import { quantize } from "#methods/quantize/quantize";
import type { Plan, Recipe } from "#methods/types";
import { weightScheme } from "#methods/weightScheme";
import { createNode } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model, Node } from "#model/model";
import type { OpenSession, Session } from "#model/session";
import { inferShapes } from "#model/shapes";
import { float32, sizeOf } from "#model/tensor";
import { weight } from "#model/weights";
import type { HostCosts, UnitCost } from "#targets/hostCosts";

export interface MeasureStoredOptions extends JobOptions {
  readonly openSession: OpenSession;
}

/** Above this the runtime's table is sure enough, and a made-up weight would take memory. */
const mostWeights = 2 ** 24;

const rounds = 7;
const msPerRound = 4;

/** The table with rows for all layers that this recipe could compute on stored codes. What is known is not measured again. */
export async function measureStored(
  prepared: Prepared,
  recipe: Recipe,
  known: HostCosts,
  options: MeasureStoredOptions,
): Promise<HostCosts> {
  const missing = candidates(prepared, recipe).filter(
    ({ layer }) => !known.units.has(layer.key) && layer.weights <= mostWeights,
  );
  if (missing.length === 0) return known;
  const units = new Map(known.units);
  for (const [i, { layer, scheme }] of missing.entries()) {
    throwIfAborted(options.signal);
    units.set(layer.key, await measureLayer(layer, scheme, options.openSession));
    options.onProgress?.({ stage: "measure layers", done: i + 1, total: missing.length });
  }
  return { ...known, units };
}

/** One layer of each key. */
function candidates(
  { model, shapes }: Prepared,
  recipe: Recipe,
): { readonly layer: StoredLayer; readonly scheme: string }[] {
  const draft = new GraphDraft(model.graph);
  const wishOf = wishes(recipe);
  const found = findWeights(model, draft);
  const context = { draft, shapes, recipe, weights: new Map(found.map((each) => [each.ref.name, each])) };
  const layers = new Map<string, { readonly layer: StoredLayer; readonly scheme: string }>();
  for (const each of found) {
    const { weights: text } = wishOf(each.uses[0].node);
    const wish = weightScheme(text);
    if (wish.kind !== "integers" || sizeOf(each.ref.dims) < recipe.smallestWeight) continue;
    for (const use of each.uses) {
      const layer = storedLayer(each, use, wish.scheme, context);
      if (typeof layer !== "string") layers.set(layer.key, { layer, scheme: text });
    }
  }
  return [...layers.values()];
}

async function measureLayer(layer: StoredLayer, scheme: string, openSession: OpenSession): Promise<UnitCost> {
  const model = layerModel(layer);
  const prepared = { model, shapes: await inferShapes(model) };
  const stored = await quantize(prepared, layerPlan(model, layer, scheme), { kernelOf: () => undefined });
  const sessions: Session[] = [];
  try {
    for (const each of [model, stored]) sessions.push(await openSession(each));
    const [input] = model.graph.inputs;
    const dims = prepared.shapes.get(input.name)?.shape as readonly number[]; // as layerModel declared it
    const feeds = { [input.name]: float32(dims, ramp(sizeOf(dims))) };
    const [first] = await sessions[0].time(feeds, 1);
    const runs = Math.max(3, Math.min(500, Math.ceil(msPerRound / Math.max(first, 0.001))));
    const times: number[][] = [[], []];
    for (let round = 0; round < rounds; round++)
      for (const [i, session] of sessions.entries()) times[i].push(median(await session.time(feeds, runs)));
    const [float, int8] = times.map((each) => 1000 * median(each));
    return { float, int8 };
  } finally {
    for (const session of sessions) await session.close();
  }
}

/** A model of nothing but the layer, in float, with made-up weights. */
function layerModel({ matrix, lstm, node, rows }: StoredLayer): Model {
  if (lstm !== undefined) {
    const alone = { ...createNode("LSTM", ["x", "w", "r"], ["y"]), attributes: node.attributes };
    return modelOf([rows, 1, lstm.w[2]], alone, lstm);
  }
  const { k = 1, n = 1 } = matrix?.layout ?? {};
  return modelOf([rows, k], createNode("MatMul", ["x", "w"], ["y"]), { w: [k, n] });
}

const none: ReadonlyMap<string, string> = new Map();

function modelOf(
  inputDims: readonly number[],
  node: Node,
  weights: Readonly<Record<string, readonly number[]>>,
): Model {
  const info = (name: string, shape: readonly number[] | undefined) => ({
    name,
    type: { kind: "tensor", element: "float32", shape } as const,
    doc: "",
    metadata: none,
  });
  const initializers = Object.entries(weights).map(
    ([name, dims]) => [name, weight(name, float32(dims, ramp(sizeOf(dims))))] as const,
  );
  return {
    irVersion: 8,
    opsets: new Map([["", 13]]),
    graph: {
      name: "measure",
      nodes: [node],
      inputs: [info("x", inputDims)],
      outputs: [info("y", undefined)],
      initializers: new Map(initializers),
      values: new Map(),
      doc: "",
      metadata: none,
    },
    functions: [],
    producer: { name: "lowbit", version: "" },
    domain: "",
    modelVersion: 0,
    doc: "",
    metadata: none,
  };
}

function layerPlan(model: Model, { form, node }: StoredLayer, scheme: string): Plan {
  const storage = form === "weight-only" ? "matmul-nbits" : "integer";
  return {
    version: 1,
    recipe: {
      name: "measure",
      weights: scheme,
      activations: form === "weight-only" ? "float" : "uint8/asymmetric",
      mode: form === "weight-only" ? "float" : "dynamic",
      rules: [],
      prefer: "size",
      smallestWeight: 1,
    },
    target: "",
    seed: 0,
    opset: 13,
    nodes: [{ node: "y", name: "y", op: node.op, output: "y", compute: form, why: "" }],
    weights: [...model.graph.initializers.keys()].map((tensor) => ({
      tensor,
      scheme,
      storage,
      axis: 1,
      why: "",
    })),
    activations: [],
    diagnostics: [],
  };
}

/** Numbers in [−1, 1): times do not depend on them. */
function ramp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 37) % 256) / 128 - 1);
}

function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
