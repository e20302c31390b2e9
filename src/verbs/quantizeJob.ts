import type { Diagnostic } from "#base/errors";
import { LowbitError } from "#base/errors";
import type { JobOptions } from "#base/progress";
import type { CalibrationData } from "#methods/calibrate/calibrate";
import type { Recipe } from "#methods/types";
import type { Model } from "#model/model";
import type { Session, SessionOptions, Tensors } from "#model/session";
import type { EvaluationData, Metric } from "#report/evaluate";
import type { FileFacts, Report } from "#report/types";
import type { Runtime } from "#runtimes/types";
import { emptyCosts } from "#targets/hostCosts";
import { buildReport } from "#verbs/buildReport";
import { type Candidate, type Environment, sessionOpener } from "#verbs/environment";
import { measureSpeed, proveQuality, type Thresholds } from "#verbs/prove";
import { type Quantized, quantizeModel } from "#verbs/quantizeModel";

export interface QuantizeJobOptions extends JobOptions, Thresholds {
  readonly recipe: Recipe;
  readonly runtime: Runtime;
  readonly session?: SessionOptions;
  /** What ranges are learned from. */
  readonly calibration?: CalibrationData;
  /** What the result is judged on: not the calibration samples, where there are others. */
  readonly evaluation: EvaluationData;
  readonly metric?: Metric;
  readonly classOffset?: number;
  readonly output?: string;
  readonly seed?: number;
  /** What the output file will be called. */
  readonly fileName?: string;
  /** Measure what layers cost on this host where the table lacks them. Default true. */
  readonly measure?: boolean;
  /** Compare layer by layer and draw weights. Default true. */
  readonly layers?: boolean;
  readonly diagnostics?: readonly Diagnostic[];
}

export interface QuantizeJob<C extends Candidate> {
  readonly quantized: Quantized;
  /** The proved model, serialised; the caller publishes and disposes it. */
  readonly candidate: C;
  /** The output's path is empty until it is published. */
  readonly report: Report;
}

/**
 * The main job: quantize, serialise, load in the real runtime, judge against the float parent, measure, report. Throws `proof/*`
 * instead of returning a model that is broken or below the thresholds.
 */
export async function quantizeJob<C extends Candidate>(
  environment: Environment<C>,
  input: { readonly model: Model; readonly file: FileFacts; readonly bytes: number },
  options: QuantizeJobOptions,
): Promise<QuantizeJob<C>> {
  const started = environment.now();
  const { runtime, recipe, evaluation, seed = 0 } = options;
  const openSession = sessionOpener(environment, runtime);
  const host = `${runtime.name} ${(await runtime.version()) ?? "?"} · ${environment.processor}`;
  const known = options.measure === false ? undefined : ((await environment.costs.load(host)) ?? emptyCosts(host));
  const request = {
    ...options,
    openSession,
    target: runtime.name,
    seed,
    ...(known === undefined ? {} : { costs: known }),
  };
  const feeds = (await evaluation.sample(0)).inputs;
  let quantized = await quantizeModel(input.model, request);
  if (quantized.costs !== undefined && quantized.costs !== known) await environment.costs.save(quantized.costs);

  const float = await openSession(input.model, options.session);
  const diagnostics: Diagnostic[] = [...(options.diagnostics ?? []), ...quantized.diagnostics];
  let candidate = await environment.materialize(
    stamped(quantized.model, environment.tool, input.file, recipe, seed),
    options.fileName,
  );
  try {
    let attempt = await judge(runtime, float, candidate, feeds, options);
    if (
      recipe.prefer === "speed" &&
      recipe.mode === "static" &&
      attempt.speed.speedup < slowerThanFloat &&
      quantized.plan.nodes.some((row) => row.compute === "int8")
    ) {
      // measured as a whole it lost what layer by layer it promised: keep the size, give up the int8 arithmetic
      diagnostics.push({
        code: "prove/slower-than-float",
        level: "info",
        message: `computing on codes measured ${attempt.speed.speedup.toFixed(2)}× the float model's speed, so all layers compute in float and only store their weights small`,
      });
      quantized = await quantizeModel(input.model, {
        ...request,
        recipe: { ...recipe, mode: "float", activations: "float" },
      });
      await candidate.dispose();
      candidate = await environment.materialize(
        stamped(quantized.model, environment.tool, input.file, recipe, seed),
        options.fileName,
      );
      attempt = await judge(runtime, float, candidate, feeds, options);
    }
    const report = await buildReport({
      ...options,
      tool: environment.tool,
      float: input,
      quantized: {
        model: quantized.model,
        file: { path: "", sha256: candidate.sha256, format: "onnx" },
        bytes: candidate.bytes,
      },
      openSession,
      feeds,
      ...(options.layers === false ? {} : { data: evaluation }),
      quality: attempt.quality,
      speed: attempt.speed,
      decisions: {
        plan: quantized.plan,
        prepared: quantized.prepared.model,
        ...(quantized.stats === undefined ? {} : { stats: quantized.stats }),
      },
      target: host,
      diagnostics: [...diagnostics, ...attempt.diagnostics],
      durationMs: 0,
    });
    return { quantized, candidate, report: { ...report, durationMs: environment.now() - started } };
  } catch (error) {
    await candidate.dispose();
    throw error;
  } finally {
    await float.close();
  }
}

/** Below this a quantized model counts as slower; the rest is what a busy machine's clock may be off. */
const slowerThanFloat = 0.97;

async function judge(
  runtime: Runtime,
  float: Session,
  candidate: Candidate,
  feeds: Tensors,
  options: QuantizeJobOptions,
): Promise<Awaited<ReturnType<typeof proveQuality>> & { readonly speed: Awaited<ReturnType<typeof measureSpeed>> }> {
  const session = await runtime.open(candidate.runnable, options.session).catch((cause: unknown) => {
    const what = cause instanceof LowbitError ? cause.message : String(cause);
    throw new LowbitError("proof/output", `the quantized model does not load in ${runtime.name}: ${what}`, {
      cause,
      hint: "this is a fault of lowbit or of its table of the runtime: please report it; --keep may help meanwhile",
    });
  });
  try {
    const proof = await proveQuality({ ...options, float, quantized: session, data: options.evaluation });
    return { ...proof, speed: await measureSpeed(float, session, feeds, { threads: options.session?.threads ?? 1 }) };
  } finally {
    await session.close();
  }
}

/** The model with its provenance: no clock, no path, so that the same input gives the same bytes. */
function stamped(model: Model, tool: string, input: FileFacts, recipe: Recipe, seed: number): Model {
  const metadata = new Map(model.metadata);
  metadata.set("lowbit.tool", tool);
  metadata.set("lowbit.input.sha256", input.sha256);
  metadata.set("lowbit.recipe", JSON.stringify(recipe));
  metadata.set("lowbit.seed", String(seed));
  return { ...model, metadata };
}
