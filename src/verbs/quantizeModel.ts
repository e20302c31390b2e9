import type { Diagnostic } from "#base/errors";
import type { JobOptions } from "#base/progress";
import { calibrate, type CalibrationData } from "#methods/calibrate/calibrate";
import { makePlan, valuesToObserve } from "#methods/plan/makePlan";
import { measureUnits, placementCosts, unitSignature } from "#methods/plan/measureCosts";
import { measureHost } from "#methods/plan/measureHost";
import { measureStored } from "#methods/plan/measureStored";
import type { PlacementCosts } from "#methods/plan/placement";
import { refinePlacement } from "#methods/plan/refinePlacement";
import { refuseBroken } from "#methods/plan/refuseBroken";
import { findUnits, type Unit } from "#methods/plan/units";
import { type Prepared, prepare } from "#methods/prepare";
import { quantize } from "#methods/quantize/quantize";
import { checkedRecipe } from "#methods/recipes";
import type { Plan, Recipe, Stats } from "#methods/types";
import type { Model } from "#model/model";
import type { OpenSession, Tensors } from "#model/session";
import { observers } from "#quant/observers/index";
import { parseScheme } from "#quant/scheme";
import type { HostCosts } from "#targets/hostCosts";
import { int8Kernel } from "#targets/int8Kernels";
import { storedKernels } from "#targets/storedKernels";

export interface QuantizeModelOptions extends JobOptions {
  readonly recipe: Recipe;
  readonly openSession: OpenSession;
  /** Name of the runtime that the result is for. */
  readonly target: string;
  readonly calibration?: CalibrationData;
  readonly seed?: number;
  /** What is known of costs on this host; measured where missing. Default: nothing is measured and all that can compute on codes does. */
  readonly costs?: HostCosts;
  readonly reducedRange?: boolean;
}

export interface Quantized {
  readonly model: Model;
  readonly prepared: Prepared;
  readonly plan: Plan;
  readonly stats: Stats | undefined;
  readonly costs: HostCosts | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** From a float model to a quantized one: prepare, calibrate, measure, plan, rewrite. Nothing is proved here. */
export async function quantizeModel(model: Model, options: QuantizeModelOptions): Promise<Quantized> {
  const recipe = checkedRecipe(options.recipe);
  const { openSession, seed = 0, calibration } = options;
  const first = calibration === undefined || calibration.length === 0 ? undefined : await calibration.feeds(0);
  const prepared = await prepare(model, 13, first === undefined ? undefined : shapesOf(first));
  await refuseBroken(prepared.model, recipe);
  const diagnostics: Diagnostic[] = [];
  let stats: Stats | undefined;
  const { values, channels } = await valuesToObserve(prepared, recipe, int8Kernel);
  if (calibration !== undefined && (recipe.mode === "static" || values.length + channels.length > 0)) {
    const scheme = parseScheme(recipe.activations);
    const histograms = recipe.mode === "static" && scheme !== null && observers[scheme.range.by].needsHistogram;
    const calibrated = await calibrate(prepared.model, calibration, {
      ...options,
      openSession,
      values,
      channels,
      histograms,
    });
    stats = calibrated.stats;
    diagnostics.push(...calibrated.diagnostics);
  }
  const stored = storedKernels(options.target);
  const target = {
    name: options.target,
    kernelOf: int8Kernel,
    ...(stored === undefined ? {} : { storedKernels: stored }),
  };
  const withStats = { seed, ...(stats === undefined ? {} : { stats }) };
  if (recipe.mode !== "static" && options.costs !== undefined && stored !== undefined) {
    const host = recipe.mode === "dynamic" ? await measureHost(options.costs, openSession) : options.costs;
    const measured = await measureStored(prepared, recipe, host, { ...jobOptions(options), openSession });
    const storedCost = (key: string) => measured.units.get(key);
    const plan = await makePlan(prepared, recipe, { ...withStats, target: { ...target, storedCost } });
    return finish(prepared, plan, stats, measured, diagnostics, options);
  }
  if (recipe.mode !== "static" || recipe.prefer !== "speed" || options.costs === undefined || first === undefined) {
    const plan = await makePlan(prepared, recipe, { ...withStats, target });
    return finish(prepared, plan, stats, options.costs, diagnostics, options);
  }
  const { units } = await findUnits(prepared.model, prepared.shapes, int8Kernel);
  const measuring = { ...jobOptions(options), openSession, feeds: first };
  const known = await measureUnits(prepared, units, await measureHost(options.costs, openSession), measuring);
  const costed = { ...target, costs: placementCosts(prepared, known) };
  const draft = await makePlan(prepared, recipe, { ...withStats, target: costed });
  const leaning = { ...costed, costs: leaningToCodes(costed.costs) };
  const other = await makePlan(prepared, recipe, { ...withStats, target: leaning });
  const starts = [placedBy(draft, units), placedBy(other, units)];
  const refined = await refinePlacement(prepared, units, starts, known, {
    ...measuring,
    signatureOf: (unit) => unitSignature(unit, prepared),
    may: mayMove(draft, costed.costs),
  });
  const placement = new Set([...refined.int8].map((unit) => unit.node.outputs[0]));
  const plan = await makePlan(prepared, recipe, { ...withStats, target: costed, placement });
  return finish(prepared, plan, stats, refined.costs, diagnostics, options);
}

function placedBy(plan: Plan, units: readonly Unit[]): Set<Unit> {
  const onCodes = new Set(plan.nodes.filter((row) => row.compute === "int8").map((row) => row.node));
  return new Set(units.filter((unit) => onCodes.has(unit.node.outputs[0])));
}

/**
 * Costs as if codes were a fifth faster. Sums of small costs are uncertain, and codes are worth a try where they nearly win: they
 * are smaller too.
 */
function leaningToCodes(costs: PlacementCosts & { readonly label: "measured" | "modelled" }): typeof costs {
  const unit: PlacementCosts["unit"] = (of) => {
    const { float, int8 } = costs.unit(of);
    return { float, int8: int8 * 0.8 };
  };
  return { ...costs, unit };
}

/** A unit that the plan gave a cost may move, onto codes where there is a kernel; what a rule or a missing range fixed has none. */
function mayMove(plan: Plan, costs: PlacementCosts): (unit: Unit, int8: boolean) => boolean {
  const free = new Set(plan.nodes.filter((row) => row.cost !== undefined).map((row) => row.node));
  return (unit, int8) => free.has(unit.node.outputs[0]) && (!int8 || Number.isFinite(costs.unit(unit).int8));
}

function jobOptions({ onProgress, signal }: JobOptions): JobOptions {
  return { ...(onProgress === undefined ? {} : { onProgress }), ...(signal === undefined ? {} : { signal }) };
}

async function finish(
  prepared: Prepared,
  plan: Plan,
  stats: Stats | undefined,
  costs: HostCosts | undefined,
  diagnostics: readonly Diagnostic[],
  options: QuantizeModelOptions,
): Promise<Quantized> {
  const model = await quantize(prepared, plan, {
    kernelOf: int8Kernel,
    reducedRange: options.reducedRange ?? costs?.saturates ?? false,
    ...(stats === undefined ? {} : { stats }),
  });
  return { model, prepared, plan, stats, costs, diagnostics: [...diagnostics, ...plan.diagnostics] };
}

function shapesOf(feeds: Tensors): Record<string, number[]> {
  return Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, [...dims]]));
}
