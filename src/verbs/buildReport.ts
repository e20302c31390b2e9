import type { Diagnostic } from "#base/errors";
import type { JobOptions } from "#base/progress";
import type { Plan, PlannedNode, Stats } from "#methods/types";
import type { Model } from "#model/model";
import type { OpenSession, Tensors } from "#model/session";
import { inferShapes } from "#model/shapes";
import { sizeOf } from "#model/tensor";
import { type Explanation, explainLayers, type LayerFacts } from "#report/causes";
import { constantGroups } from "#report/constantGroups";
import { compareEnergy } from "#report/energy";
import type { EvaluationData } from "#report/evaluate";
import { type LayerQuality, layerQuality, type WeightedLayer } from "#report/layerQuality";
import { compareMemory } from "#report/memory";
import { ledgerOf } from "#report/sizeLedger";
import type { FileFacts, LayerReport, QualityReport, Report, SpeedReport } from "#report/types";
import { type WeightStatistics, weightStatistics } from "#report/weightStatistics";

export interface ReportedModel {
  readonly model: Model;
  readonly file: FileFacts;
  readonly bytes: number;
}

/** What this process itself decided and learned, where it made the quantized model. */
export interface Decisions {
  readonly plan: Plan;
  /** The model the plan speaks of: normalizations folded, names as in the plan. */
  readonly prepared: Model;
  readonly stats?: Stats;
}

export interface ReportInput extends JobOptions {
  readonly tool: string;
  readonly float: ReportedModel;
  readonly quantized: ReportedModel;
  readonly openSession: OpenSession;
  /** One realistic set of inputs: fixes the shapes that energy and memory are counted for. */
  readonly feeds?: Tensors;
  readonly data?: EvaluationData;
  readonly quality: QualityReport | null;
  readonly speed: SpeedReport | null;
  readonly decisions?: Decisions;
  readonly target?: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly durationMs: number;
}

/** The whole report: what was measured before, and what is counted and compared here. */
export async function buildReport(input: ReportInput): Promise<Report> {
  const { float, quantized, decisions, feeds, data, target } = input;
  const stats = decisions?.stats;
  const shapes =
    feeds === undefined
      ? {}
      : { inputShapes: Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims])) };
  const quality = data === undefined ? undefined : await layerQuality(float.model, quantized.model, data, input);
  const weights = await weightFacts(decisions?.prepared ?? float.model, decisions?.plan);
  const layers =
    decisions === undefined
      ? await comparedLayers(quantized.model, quality)
      : plannedLayers(decisions, quality, weights);
  return {
    version: 1,
    tool: input.tool,
    input: float.file,
    output: quantized.file,
    recipe: decisions?.plan.recipe ?? recipeOf(quantized.model),
    seed: decisions?.plan.seed ?? 0,
    ...(target === undefined ? {} : { target }),
    size: await ledgerOf(float, quantized),
    quality: input.quality,
    ...(stats === undefined ? {} : { calibration: { samples: stats.samples, data: stats.data } }),
    speed: input.speed,
    energy: await compareEnergy(float.model, quantized.model, shapes),
    memory: await compareMemory(float.model, quantized.model, shapes),
    layers,
    histograms: [...weights.values()].slice(0, drawnHistograms).map(({ histogram }) => histogram),
    diagnostics: [...input.diagnostics, ...(quality?.diagnostics ?? [])],
    durationMs: input.durationMs,
  };
}

const drawnHistograms = 12;

/** The recipe that a file of ours carries. */
function recipeOf(model: Model): unknown {
  const text = model.metadata.get("lowbit.recipe");
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

interface WeightFacts extends WeightStatistics {
  readonly scheme: string;
}

/** Statistics of the weights that a plan changes (without a plan: of all matrices), largest first. */
async function weightFacts(model: Model, plan: Plan | undefined): Promise<Map<string, WeightFacts>> {
  const planned = plan === undefined ? undefined : new Map(plan.weights.map((row) => [row.tensor, row]));
  const refs = [...model.graph.initializers.values()].filter(
    ({ name, element, dims }) =>
      element === "float32" && dims.length >= 2 && (planned === undefined || planned.has(name)),
  );
  refs.sort((a, b) => sizeOf(b.dims) - sizeOf(a.dims));
  const facts = new Map<string, WeightFacts>();
  for (const ref of refs) {
    const row = planned?.get(ref.name);
    const scheme = row?.scheme ?? "float32";
    facts.set(ref.name, {
      ...(await weightStatistics(ref, { scheme, ...(row === undefined ? {} : { axis: row.axis }) })),
      scheme,
    });
  }
  return facts;
}

/** One row for each decision of a plan. */
function plannedLayers(
  { plan, stats }: Decisions,
  quality: LayerQuality | undefined,
  weights: ReadonlyMap<string, WeightFacts>,
): LayerReport[] {
  const activations = new Map(plan.activations.map((row) => [row.tensor, row.scheme]));
  const rowOf = new Map<string, PlannedNode>();
  for (const row of plan.nodes) for (const value of [row.node, row.output]) rowOf.set(value, row);
  const factsOf = (layer: WeightedLayer): LayerFacts => {
    const { value } = layer.at;
    const row = rowOf.get(value) ?? rowOf.get(layer.output);
    const weight = weights.get(row?.weight ?? "");
    const scheme = activations.get(value);
    const summary = stats?.tensors.get(value);
    return {
      name: row?.name || layer.node,
      ...(weight === undefined ? {} : { weights: weight }),
      ...(scheme === undefined ? {} : { activations: scheme }),
      ...(summary === undefined ? {} : { summary }),
    };
  };
  const explained = new Map<PlannedNode, Explanation>();
  if (quality !== undefined) {
    const causes = explainLayers(quality, factsOf);
    for (const layer of quality.layers.values()) {
      const row = rowOf.get(layer.at.value) ?? rowOf.get(layer.output);
      const cause = causes.get(layer.output);
      if (row !== undefined && cause !== undefined) explained.set(row, cause);
    }
  }
  return plan.nodes.map((row): LayerReport => {
    const measured = quality?.values.get(row.output) ?? quality?.values.get(row.node);
    const onCodes = row.compute === "int8" || row.compute === "int8-dynamic";
    return {
      name: row.name || row.node,
      op: row.op,
      weights: row.weight === undefined ? "" : (weights.get(row.weight)?.scheme ?? "float32"),
      activations: onCodes ? (activations.get(row.output) ?? plan.recipe.activations) : "float32",
      sqnrDb: measured === undefined ? null : worstWhenBroken(measured.sqnrDb),
      ...explained.get(row),
      why: row.why,
      ...(row.cost === undefined || !Number.isFinite(row.cost.int8)
        ? {}
        : { ms: { float: row.cost.float / 1000, quantized: (onCodes ? row.cost.int8 : row.cost.float) / 1000 } }),
    };
  });
}

/** Rows from the files alone, where somebody else (or an earlier run) made the quantized one. */
async function comparedLayers(quantized: Model, quality: LayerQuality | undefined): Promise<LayerReport[]> {
  if (quality === undefined) return [];
  const schemes = new Map<string, string>();
  for (const group of constantGroups(quantized, await inferShapes(quantized))) {
    if (group.role !== "weight") continue;
    for (const { node } of group.uses)
      if (node !== undefined) schemes.set(node.name || node.outputs[0], group.stored.text);
  }
  const causes = explainLayers(quality, (layer) => ({ name: layer.node }));
  return [...quality.layers.values()].map((layer): LayerReport => {
    const { quantizer, sqnrDb } = layer.at;
    return {
      name: layer.node,
      op: layer.op,
      weights: schemes.get(layer.node) ?? "",
      activations: quantizer === undefined ? "float32" : "quantized",
      sqnrDb: worstWhenBroken(sqnrDb),
      ...causes.get(layer.output),
      why: "as the file has it",
    };
  });
}

/** NaN is "not a number came out", which is worse than any number of decibels. */
function worstWhenBroken(db: number): number {
  return Number.isNaN(db) ? Number.NEGATIVE_INFINITY : db;
}
