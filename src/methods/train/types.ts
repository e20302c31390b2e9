/** What training takes and what it tells. Data, runtimes and files are the caller's: here they are ports. */
import type { JobOptions } from "#base/progress";
import type { OptimizerName } from "#grad/optimizers";
import type { Loss } from "#grad/losses/types";
import type { Schedule } from "#methods/train/learningRate";
import type { Model } from "#model/model";
import type { OpenSession, SessionOptions, Tensors } from "#model/session";
import type { Tensor } from "#model/tensor";

export interface TrainingSample {
  /** One tensor for each input of the model, with a batch axis in front. */
  readonly inputs: Tensors;
  /** The right class, counted as the data counts. */
  readonly label?: number;
  /** Per position the token that comes next; −1 does not count. */
  readonly targets?: Int32Array;
  /** What errors call it. */
  readonly id: string;
}

export interface TrainingData {
  readonly name: string;
  readonly length: number;
  sample(index: number): Promise<TrainingSample>;
}

/** Keeps the state of a training between two processes. `save` replaces what was saved before, whole or not at all. */
export interface CheckpointStore {
  load(): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<void>;
}

export interface TrainOptions extends JobOptions {
  readonly openSession: OpenSession;
  readonly session?: SessionOptions;
  readonly data: TrainingData;
  /** Samples that judge after every epoch, and are never trained on. Default: none. */
  readonly heldOut?: TrainingData;
  readonly loss: Loss;
  /** The model that losses of the role "teacher" compare with, on the same batches. */
  readonly teacher?: Model;
  /** Names of the weights that change. Default: all of `trainableWeights`. */
  readonly weights?: readonly string[];
  /** Passes over the data. */
  readonly epochs: number;
  /** Samples of one step. The last few of an epoch that fill no batch are left out; shuffling makes them others each time. */
  readonly batch: number;
  /** Batches whose gradients are averaged before weights change: batches larger than memory. Default 1. */
  readonly accumulate?: number;
  /** The highest. */
  readonly learningRate: number;
  /** Default constant. */
  readonly schedule?: Schedule;
  readonly optimizer?: { readonly name: OptimizerName } & Readonly<Record<string, number | boolean | string>>;
  /** Gradients are scaled down to this length where all of them together are longer. Default: never. */
  readonly clipNorm?: number;
  /** Decay of a moving average of the weights, which then is the result. Default: none. */
  readonly average?: number;
  /**
   * What batch normalizations do. "frozen" (default): they keep their statistics, and only scale and shift are trained; for
   * fine-tuning. "batch": they use each batch's own and keep running ones; for training from scratch.
   */
  readonly normalization?: "frozen" | "batch";
  /** Same seed, data and options: same bytes, on the same runtime. Default 0. */
  readonly seed?: number;
  /** The model's class of the data's class 0. Default 0. */
  readonly classOffset?: number;
  /** Stops when the held-out samples are answered so well: a share of right answers (with a teacher: of equal ones). */
  readonly targetAccuracy?: number;
  /** Whose weights are the result: those of the epoch that did best on the held-out samples (default), or of the last. */
  readonly keep?: "best" | "last";
  /** Stops with train/diverged after so many bad batches in a row. Default 5. */
  readonly badBatches?: number;
  readonly checkpoint?: CheckpointStore;
  /** Continues from the checkpoint, if there is one. Default false. */
  readonly resume?: boolean;
  /** Called after every epoch. */
  readonly onEpoch?: (point: EpochPoint) => void;
}

/** How good the model was on some samples. */
export interface Judgement {
  readonly loss: number;
  /** Share of right answers, or of the teacher's; null where the answer is no class. */
  readonly accuracy: number | null;
}

/** One point of the learning curve. */
export interface EpochPoint extends Judgement {
  /** From 1. `loss` and `accuracy` are means over its batches, each judged before its step. */
  readonly epoch: number;
  /** Steps of the optimizer until now. */
  readonly steps: number;
  /** Of the last step. */
  readonly learningRate: number;
  readonly heldOut: Judgement | null;
}

export interface Trained {
  /** The model with its new weights: the same graph, nodes and names. */
  readonly model: Model;
  /** The new values by name: weights, and running statistics where batches' own were used. */
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly curve: readonly EpochPoint[];
  /** On the held-out samples, before the first step. */
  readonly before: Judgement | null;
  /** The epoch whose weights these are: the one that did best on the held-out samples, else the last. */
  readonly epoch: number;
  readonly stopped: "epochs" | "target";
  /** Batches that changed nothing because their loss was no number. */
  readonly skippedBatches: number;
  /** Which runtime trained. */
  readonly runtime: string;
}
