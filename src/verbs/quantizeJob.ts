import { type Diagnostic, LowbitError, withPlace } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import type { CalibrationData } from "#methods/calibrate/calibrate";
import type { Recipe } from "#methods/types";
import type { Model } from "#model/model";
import type { Session, SessionOptions, Tensors } from "#model/session";
import type { EvaluationData, Metric } from "#report/evaluate";
import type { FileFacts, QualityReport, Report, SpeedReport } from "#report/types";
import type { Runtime } from "#runtimes/types";
import { emptyCosts } from "#targets/hostCosts";
import { buildReport } from "#verbs/buildReport";
import { type Candidate, type Environment, type MaterializeOptions, sessionOpener } from "#verbs/environment";
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
  /** How the output is written. */
  readonly file?: MaterializeOptions;
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
  const { runtime, recipe, evaluation, signal, seed = 0 } = options;
  const session: SessionOptions = { ...options.session, ...(signal === undefined ? {} : { signal }) };
  const openSession = sessionOpener(environment, runtime, session);
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
  const float = await openSession(input.model, session);
  const prove = async (quantized: Quantized): Promise<Proof & { readonly candidate: C }> => {
    const model = stamped(quantized.model, environment.tool, input.file, recipe, seed);
    const candidate = await environment.materialize(model, options.file);
    try {
      const opened = await runtime.open(candidate.runnable, session).catch(refusedBy(runtime, "load"));
      return { candidate, ...(await judge(float, provable(opened, runtime), feeds, options)) };
    } catch (error) {
      await candidate.dispose();
      throw error;
    }
  };
  try {
    await float.run(feeds); // what is wrong with the model itself is said before any work is done
    let quantized = await quantizeModel(input.model, request);
    if (quantized.costs !== undefined && quantized.costs !== known) await environment.costs.save(quantized.costs);
    const diagnostics: Diagnostic[] = [...(options.diagnostics ?? []), ...quantized.diagnostics];
    let proof = await prove(quantized);
    const { speedup } = proof.speed;
    if (recipe.prefer === "speed" && speedup < slowerThanFloat && computesOnCodes(quantized)) {
      // measured as a whole it lost what layer by layer it promised: keep the size, give up the int8 arithmetic
      diagnostics.push({
        code: "prove/slower-than-float",
        level: "info",
        message: `computing on codes measured ${speedup.toFixed(2)}× the float model's speed, so all layers compute in float and only store their weights small`,
      });
      await proof.candidate.dispose();
      quantized = await quantizeModel(input.model, {
        ...request,
        recipe: { ...recipe, mode: "float", activations: "float" },
      }).catch(refusedAsSlow(speedup));
      proof = await prove(quantized);
    }
    const { candidate, quality, speed } = proof;
    try {
      const report = await buildReport({
        ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
        ...(signal === undefined ? {} : { signal }),
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
        quality,
        speed,
        decisions: {
          plan: quantized.plan,
          prepared: quantized.prepared.model,
          ...(quantized.stats === undefined ? {} : { stats: quantized.stats }),
        },
        target: host,
        diagnostics: [...diagnostics, ...proof.diagnostics],
        durationMs: 0,
      });
      return { quantized, candidate, report: { ...report, durationMs: environment.now() - started } };
    } catch (error) {
      await candidate.dispose();
      throw error;
    }
  } catch (error) {
    throw withPlace(error, { file: input.file.path });
  } finally {
    await float.close();
  }
}

/** Below this a quantized model counts as slower; the rest is what a busy machine's clock may be off. */
const slowerThanFloat = 0.97;

function computesOnCodes({ plan }: Quantized): boolean {
  return (
    plan.recipe.mode !== "float" && plan.nodes.some(({ compute }) => compute === "int8" || compute === "int8-dynamic")
  );
}

/** A model without weights worth storing could only have gained speed: the refusal says that it does not. */
function refusedAsSlow(speedup: number): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof LowbitError) || cause.code !== "plan/nothing-to-quantize") throw cause;
    const message = `computing on codes measured ${speedup.toFixed(2)}× the float model's speed, and in float there is nothing to quantize: ${cause.message}`;
    throw new LowbitError(cause.code, message, {
      cause,
      hint: "take the slower model all the same with --prefer size",
    });
  };
}

interface Proof {
  readonly quality: QualityReport;
  readonly speed: SpeedReport;
  readonly diagnostics: readonly Diagnostic[];
}

async function judge(float: Session, quantized: Session, feeds: Tensors, options: QuantizeJobOptions): Promise<Proof> {
  try {
    const proof = await proveQuality({ ...options, float, quantized, data: options.evaluation });
    throwIfAborted(options.signal);
    return { ...proof, speed: await measureSpeed(float, quantized, feeds, { threads: options.session?.threads ?? 1 }) };
  } finally {
    await quantized.close();
  }
}

/** A session of the candidate, whose failures are the candidate's. */
function provable(session: Session, runtime: Runtime): Session {
  return {
    runtime: session.runtime,
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: (feeds, fetches) => session.run(feeds, fetches).catch(refusedBy(runtime, "run")),
    time: (feeds, rounds) => session.time(feeds, rounds).catch(refusedBy(runtime, "run")),
    close: () => session.close(),
  };
}

/** What a runtime says against a model that we made is a failed proof; being stopped, or out of time or memory, is not. */
function refusedBy(runtime: Runtime, what: "load" | "run"): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof LowbitError) || cause.exitCode !== 1) throw cause;
    throw new LowbitError("proof/output", `the quantized model does not ${what} in ${runtime.name}: ${cause.message}`, {
      cause,
      hint: "this is a fault of lowbit or of its table of the runtime: please report it; --keep may help meanwhile",
    });
  };
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
