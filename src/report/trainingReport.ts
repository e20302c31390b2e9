/** What a training tells, as data: the same as JSON, as text, and from the API. */
import type { Diagnostic } from "#base/errors";
import type { FileFacts } from "#report/types";

/** How good a model was on some samples. `accuracy` is a share of right answers, or of the teacher's; null where no class is answered. */
export interface LearnedPoint {
  readonly loss: number;
  readonly accuracy: number | null;
}

export interface TrainingReport {
  readonly version: 1;
  readonly kind: "training";
  readonly tool: string;
  /** That trained: "ort-node 1.30.0". */
  readonly runtime: string;
  /** null in memory. */
  readonly input: FileFacts | null;
  readonly output: FileFacts | null;
  readonly data: { readonly name: string; readonly training: number; readonly heldOut: number };
  readonly settings: Readonly<Record<string, string | number | null>>;
  readonly weights: { readonly tensors: number; readonly parameters: number };
  /** On the held-out samples. */
  readonly before: LearnedPoint | null;
  readonly after: LearnedPoint | null;
  /** The epoch whose weights were kept: the best on the held-out samples, else the last. */
  readonly epoch: number;
  readonly stopped: "epochs" | "target";
  readonly skippedBatches: number;
  readonly curve: readonly (LearnedPoint & {
    readonly epoch: number;
    readonly steps: number;
    readonly learningRate: number;
    readonly heldOut: LearnedPoint | null;
  })[];
  readonly diagnostics: readonly Diagnostic[];
  readonly durationMs: number;
}
