import type { Diagnostic } from "#base/errors";
import type { JobOptions } from "#base/progress";
import { calibrate, type CalibrationData } from "#methods/calibrate/calibrate";
import { makePlan, valuesToObserve } from "#methods/plan/makePlan";
import { measureUnits, placementCosts } from "#methods/plan/measureCosts";
import { measureHost } from "#methods/plan/measureHost";
import { findUnits } from "#methods/plan/units";
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
  const { openSession, target, seed = 0, calibration } = options;
  const first = calibration === undefined || calibration.length === 0 ? undefined : await calibration.feeds(0);
  const prepared = await prepare(model, 13, first === undefined ? undefined : shapesOf(first));
  const diagnostics: Diagnostic[] = [];
  let stats: Stats | undefined;
  if (recipe.mode === "static" && calibration !== undefined) {
    const { values, channels } = await valuesToObserve(prepared, recipe, int8Kernel);
    const scheme = parseScheme(recipe.activations);
    const histograms = scheme !== null && observers[scheme.range.by].needsHistogram;
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
  let costs = options.costs;
  if (recipe.mode === "static" && recipe.prefer === "speed" && costs !== undefined && first !== undefined) {
    const { units } = await findUnits(prepared.model, prepared.shapes, int8Kernel);
    costs = await measureUnits(prepared, units, await measureHost(costs, openSession), {
      ...options,
      openSession,
      feeds: first,
    });
    const plan = await makePlan(prepared, recipe, {
      target: { name: target, kernelOf: int8Kernel, costs: placementCosts(prepared, costs) },
      seed,
      ...(stats === undefined ? {} : { stats }),
    });
    return finish(prepared, plan, stats, costs, diagnostics, options);
  }
  const plan = await makePlan(prepared, recipe, {
    target: { name: target, kernelOf: int8Kernel },
    seed,
    ...(stats === undefined ? {} : { stats }),
  });
  return finish(prepared, plan, stats, costs, diagnostics, options);
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
