/** Training a model in memory, the same in Node and in a browser. */
import { type Diagnostic, LowbitError } from "#base/errors";
import type { JobOptions } from "#base/progress";
import { spread, take, without } from "#data/spread";
import type { Dataset, Sample } from "#data/types";
import type { Loss } from "#grad/losses/types";
import type { OptimizerName } from "#grad/optimizers";
import type { Schedule } from "#methods/train/learningRate";
import { train } from "#methods/train/train";
import type { CheckpointStore, TrainingData } from "#methods/train/types";
import type { Model } from "#model/model";
import type { TrainingReport } from "#report/trainingReport";
import { chooseRuntime } from "#runtimes/chooseRuntime";
import { type Candidate, type Environment, sessionOpener } from "#verbs/environment";

export interface FinetuneOptions extends JobOptions {
  readonly data: Dataset;
  /** Judges after every epoch. Default: a tenth of `data`, spread evenly, which then is not trained on. */
  readonly heldOut?: Dataset;
  /** The float parent, whose answers are learned where samples have no labels, or where `loss` says so. */
  readonly teacher?: Model;
  /** Default: cross-entropy with labels, distillation without. */
  readonly loss?: Loss;
  /** The output that is trained. Default: the only one. */
  readonly output?: string;
  /** Passes over the data. Default 5. */
  readonly epochs?: number;
  /** Samples of a batch. Default 32. */
  readonly batch?: number;
  /** Batches whose gradients are averaged before a step. Default 1. */
  readonly accumulate?: number;
  /** The highest learning rate. Default 0.001 with adam, 0.01 with sgd. */
  readonly learningRate?: number;
  /** Default: cosine. */
  readonly schedule?: Schedule;
  /** Default: sgd with momentum 0.9. */
  readonly optimizer?: { readonly name: OptimizerName } & Readonly<Record<string, number | boolean | string>>;
  readonly clipNorm?: number;
  /** Decay of a moving average of the weights, which then is the result. Default: none. */
  readonly average?: number;
  /** Batch normalizations: keep their statistics ("frozen", default), or use each batch's ("batch"): from scratch. */
  readonly normalization?: "frozen" | "batch";
  readonly seed?: number;
  readonly classOffset?: number;
  /** Stop when so large a share of the held-out samples is answered right. */
  readonly targetAccuracy?: number;
  /** Whose weights are the result: those of the epoch that did best on the held-out samples (default), or of the last. */
  readonly keep?: "best" | "last";
  readonly checkpoint?: CheckpointStore;
  readonly resume?: boolean;
  /** "auto" (default), "ort-node", "ort-web". */
  readonly target?: string;
  readonly threads?: number;
  /** Milliseconds that one step may take; default 60,000. */
  readonly timeoutMs?: number;
  readonly onEpoch?: (point: TrainingReport["curve"][number]) => void;
}

export interface FinetuneResult {
  readonly model: Model;
  readonly report: TrainingReport;
}

/**
 * Trains a model's weights further, or from the start, on labels or on a teacher's answers. The graph stays as it is.
 *
 *   const { model: better, report } = await finetune(model, { data, epochs: 3 });
 *
 * Throws `train/*` where nothing can be learned or the training diverges; run/interrupted after an abort, the state then being in the
 * checkpoint.
 */
export async function finetuneInMemory<C extends Candidate>(
  environment: Environment<C>,
  model: Model,
  options: FinetuneOptions,
): Promise<FinetuneResult> {
  const started = environment.now();
  const { seed = 0, epochs = 5, batch = 32, accumulate = 1, teacher, threads, timeoutMs } = options;
  const { training, heldOut, diagnostics } = split(options);
  if (training.length === 0) throw new LowbitError("data/none", `${training.name} holds no samples to train on`);
  const runtime = await chooseRuntime(options.target ?? "auto", environment.runtimes);
  const optimizer = options.optimizer ?? { name: "sgd" };
  const learningRate = options.learningRate ?? (optimizer.name === "adam" ? 0.001 : 0.01);
  const loss = options.loss ?? defaultLoss(await training.sample(0), options);
  const schedule = options.schedule ?? { kind: "cosine" };
  const trained = await train(model, {
    ...options,
    // sessions do not end with the signal: an interrupted training first takes its states out of them
    openSession: sessionOpener(environment, runtime),
    session: { ...(threads === undefined ? {} : { threads }), ...(timeoutMs === undefined ? {} : { timeoutMs }) },
    data: remembered(training),
    ...(heldOut.length === 0 ? { heldOut: undefined } : { heldOut: remembered(heldOut) }),
    loss,
    epochs,
    batch,
    accumulate,
    learningRate,
    schedule,
    optimizer,
    seed,
  });
  const names = Object.keys(trained.weights);
  return {
    model: trained.model,
    report: {
      version: 1,
      kind: "training",
      tool: environment.tool,
      runtime: trained.runtime,
      input: null,
      output: null,
      data: { name: training.name, training: training.length, heldOut: heldOut.length },
      settings: {
        loss: loss.kind,
        teacher: teacher?.origin?.name ?? null,
        epochs,
        batch,
        accumulate,
        optimizer: optimizer.name,
        learningRate,
        schedule: schedule.kind,
        warmupEpochs: schedule.warmupEpochs ?? 0,
        normalization: options.normalization ?? "frozen",
        seed,
      },
      weights: {
        tensors: names.length,
        parameters: Object.values(trained.weights).reduce((sum, { data }) => sum + data.length, 0),
      },
      before: trained.before,
      after: trained.curve[trained.epoch - 1]?.heldOut ?? null,
      epoch: trained.epoch,
      stopped: trained.stopped,
      skippedBatches: trained.skippedBatches,
      curve: trained.curve,
      diagnostics,
      durationMs: environment.now() - started,
    },
  };
}

const heldOutShare = 0.1;

function split({ data, heldOut }: FinetuneOptions): {
  readonly training: Dataset;
  readonly heldOut: Dataset;
  readonly diagnostics: readonly Diagnostic[];
} {
  if (heldOut !== undefined)
    return { training: data, heldOut, diagnostics: [...data.diagnostics, ...heldOut.diagnostics] };
  const count = Math.floor(data.length * heldOutShare);
  const judges = count === 0 ? [] : spread(data.length, count);
  return {
    training: take(data, without(data.length, judges)),
    heldOut: take(data, judges),
    diagnostics: data.diagnostics,
  };
}

function defaultLoss(sample: Sample, { teacher, output, data }: FinetuneOptions): Loss {
  const of = output === undefined ? {} : { of: output };
  if (data.labelled) return { kind: "cross-entropy", ...of, ...(sample.targets === undefined ? {} : { ignore: -1 }) };
  if (teacher !== undefined) return { kind: "distillation", ...of };
  throw new LowbitError("train/no-target", `${data.name} has no labels, and there is no teacher to learn from`, {
    at: { file: data.name },
    hint: "label the data, or give the float parent whose answers are to be learned (--teacher)",
  });
}

/** Samples up to this many bytes are kept: decoding an image takes longer than a small model's step on it. */
const keptBytes = 512 * 2 ** 20;

function remembered(data: Dataset): TrainingData {
  const kept = new Map<number, Sample>();
  let bytes = 0;
  return {
    name: data.name,
    length: data.length,
    async sample(index) {
      const known = kept.get(index);
      if (known !== undefined) return known;
      const sample = await data.sample(index);
      const size = Object.values(sample.inputs).reduce(
        (sum, { data: values }) => sum + (ArrayBuffer.isView(values) ? values.byteLength : 0),
        0,
      );
      if (bytes + size <= keptBytes && !kept.has(index)) {
        kept.set(index, sample);
        bytes += size;
      }
      return sample;
    },
  };
}
