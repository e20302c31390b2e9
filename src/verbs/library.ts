/** The verbs on models in memory, the same in Node and in a browser. */
import { LowbitError } from "#base/errors";
import type { JobOptions } from "#base/progress";
import type { Dataset } from "#data/types";
import { checkedRecipe, recipe as recipeOf } from "#methods/recipes";
import type { Plan, Recipe, Stats } from "#methods/types";
import type { Model } from "#model/model";
import type { Metric } from "#report/evaluate";
import type { Report } from "#report/types";
import { chooseRuntime } from "#runtimes/chooseRuntime";
import { chooseRecipe } from "#verbs/chooseRecipe";
import { type Candidate, type Environment, sessionOpener } from "#verbs/environment";
import { madeUpData } from "#verbs/madeUpData";
import type { Thresholds } from "#verbs/prove";
import { quantizeJob } from "#verbs/quantizeJob";
import { splitData } from "#verbs/splitData";

export interface QuantizeOptions extends JobOptions, Thresholds {
  /** A recipe's name, or a recipe. Default: the best known for the model and the data. */
  readonly recipe?: string | Recipe;
  /** Samples: some learn ranges, the others judge. Without it only recipes that need none can be chosen, judged on noise. */
  readonly data?: Dataset;
  /** Samples that calibrate; default 100, spread evenly. */
  readonly calibrate?: number;
  /** Runtime that the result is for: "auto" (default), "ort-node", "ort-web". */
  readonly target?: string;
  /** Inside one operator; default 1. More than one needs, in a browser, a cross-origin isolated page. */
  readonly threads?: number;
  /** Milliseconds that one run of the model may take; default 60,000. */
  readonly timeoutMs?: number;
  readonly metric?: Metric;
  readonly classOffset?: number;
  readonly seed?: number;
  /** Measure layers to decide which to quantize; default true. */
  readonly measure?: boolean;
}

export interface QuantizeResult {
  readonly model: Model;
  /** The proved ONNX file. */
  readonly bytes: Uint8Array;
  readonly plan: Plan;
  readonly stats?: Stats;
  readonly report: Report;
}

/** Quantizes a model and proves the result in the runtime it is for; throws `proof/*` rather than return a broken one. */
export async function quantizeInMemory<C extends Candidate>(
  environment: Environment<C>,
  model: Model,
  options: QuantizeOptions = {},
): Promise<QuantizeResult> {
  const { data, seed = 0, recipe: wish, threads, timeoutMs, signal } = options;
  const runtime = await chooseRuntime(options.target ?? "auto", environment.runtimes);
  const recipe = checkedRecipe(
    wish === undefined
      ? await chooseRecipe(model, data !== undefined)
      : typeof wish === "string"
        ? recipeOf(wish)
        : wish,
  );
  if (data === undefined && recipe.mode === "static") {
    throw new LowbitError(
      "plan/no-calibration",
      `recipe ${recipe.name} learns the ranges of activations from data, and none is given`,
      { hint: "give data (see dataFromImages, dataFromArrays), or use the recipe w8a8-dynamic" },
    );
  }
  const session = { ...(threads === undefined ? {} : { threads }), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  const limits = { ...session, ...(signal === undefined ? {} : { signal }) };
  const samples =
    data ?? (await madeUpData(model, sessionOpener(environment, runtime, limits), { ...options, seed, samples: 16 }));
  const split = splitData(samples, data === undefined ? samples.length : (options.calibrate ?? 100));
  const original = await environment.materialize(model);
  const file = { path: model.origin?.name ?? "", sha256: original.sha256, format: "onnx" };
  await original.dispose();
  const { quantized, candidate, report } = await quantizeJob(
    environment,
    { model, file, bytes: original.bytes },
    {
      ...options,
      recipe,
      runtime,
      session,
      ...(data === undefined ? {} : { calibration: split.calibration }),
      evaluation: split.evaluation,
      diagnostics: split.diagnostics,
    },
  );
  try {
    const { plan, stats } = quantized;
    return {
      model: quantized.model,
      bytes: await candidate.runnable.bytes(),
      plan,
      ...(stats === undefined ? {} : { stats }),
      report,
    };
  } finally {
    await candidate.dispose();
  }
}
