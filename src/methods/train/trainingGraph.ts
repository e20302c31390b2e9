/** From a model and what is wanted to the step that a session repeats: batch, loss, statistics, gradients, optimizer. */
import { LowbitError } from "#base/errors";
import { appendLoss } from "#grad/appendLoss";
import type { LossInput } from "#grad/losses/types";
import { type TrainingStep, trainingStep } from "#grad/trainingStep";
import { withBatchStatistics } from "#methods/train/batchStatistics";
import { rebatch } from "#methods/train/rebatch";
import { trainableWeights } from "#methods/train/trainableWeights";
import type { TrainOptions } from "#methods/train/types";
import type { Model } from "#model/model";
import type { Tensors } from "#model/session";
import { isConcrete } from "#model/ops/known";
import { inferShapes } from "#model/shapes";
import { sizeOf } from "#model/tensor";

/** A model with its loss, for batches of one size. */
export interface LossGraph {
  readonly model: Model;
  readonly inputShapes: Readonly<Record<string, readonly number[]>>;
  readonly loss: string;
  readonly inputs: readonly LossInput[];
  /** What is compared with labels, or else with a teacher: its largest element along the last axis is the answer. */
  readonly answer: { readonly value: string; readonly wanted: string; readonly classes: number } | undefined;
}

export async function lossGraph(
  model: Model,
  sample: Tensors,
  batch: number,
  loss: TrainOptions["loss"],
): Promise<LossGraph> {
  const rebatched = await rebatch(model, sample, batch);
  const withLoss = await appendLoss(rebatched.model, loss, rebatched.inputShapes);
  const inputShapes = {
    ...rebatched.inputShapes,
    ...Object.fromEntries(withLoss.inputs.map(({ name, shape }) => [name, shape])),
  };
  const shapes = await inferShapes(withLoss.model, { inputShapes });
  const judged = withLoss.inputs.find(({ role }) => role === "labels") ?? withLoss.inputs.find(isTeacher);
  const shape = (judged && shapes.get(judged.of)?.shape) as readonly number[] | undefined; // the loss asked for sizes
  const rows = shape?.slice(0, -1);
  const fits =
    judged !== undefined &&
    shape !== undefined &&
    shape.length > 1 &&
    (isTeacher(judged) || judged.shape.join() === rows?.join());
  return {
    model: withLoss.model,
    inputShapes,
    loss: withLoss.loss,
    inputs: withLoss.inputs,
    answer: fits ? { value: judged.of, wanted: judged.name, classes: shape[shape.length - 1] } : undefined,
  };
}

/** What a runtime's process occupies before any model. */
const baseBytes = 1.5 * 2 ** 30;
const valueCopies = 16;
/** In messages, as inputs, as outputs. */
const stateCopies = 6;

const isTeacher = ({ role }: LossInput): boolean => role === "teacher";

export interface TrainingGraph extends LossGraph {
  readonly step: TrainingStep;
  /** What the training changes, by name in the model, and the state that holds its new value. */
  readonly results: ReadonlyMap<string, string>;
  /** What a runtime may occupy for it: every value of the forward pass many times over, for im2col and gradients, and all states. */
  readonly memoryBytes: number;
}

/** Throws train/no-weights where there is nothing to train, and as `appendLoss`, `trainingStep` and `rebatch`. */
export async function trainingGraph(model: Model, sample: Tensors, options: TrainOptions): Promise<TrainingGraph> {
  const graph = await lossGraph(model, sample, options.batch, options.loss);
  const weights = options.weights ?? trainableWeights(model);
  if (weights.length === 0)
    throw new LowbitError("train/no-weights", "the model has no float32 weights that could be trained", {
      hint: "give the float model: quantized codes and constants inside functions have no gradient",
    });
  const shapes = await inferShapes(graph.model, { inputShapes: graph.inputShapes });
  const statistics =
    options.normalization === "batch"
      ? await withBatchStatistics(graph.model, graph.loss, shapes)
      : { model: graph.model, next: {}, initial: {} };
  const { optimizer, clipNorm, accumulate, average } = options;
  const answer = graph.answer === undefined ? [] : [graph.answer.value];
  const step = await trainingStep(statistics.model, {
    loss: graph.loss,
    weights,
    watch: [...answer, ...Object.values(statistics.next)],
    inputShapes: graph.inputShapes,
    ...(optimizer === undefined ? {} : { optimizer }),
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(accumulate === undefined ? {} : { accumulate }),
    ...(average === undefined ? {} : { average }),
  });
  const values = [...shapes.values()].reduce((sum, { shape }) => sum + (isConcrete(shape) ? sizeOf(shape) : 0), 0);
  const states = Object.values(step.initial).reduce((sum, { dims }) => sum + sizeOf(dims), 0);
  return {
    ...graph,
    memoryBytes: baseBytes + 4 * (valueCopies * values + stateCopies * states),
    step: {
      ...step,
      carry: { ...step.carry, ...statistics.next },
      initial: { ...step.initial, ...statistics.initial },
    },
    results: new Map([
      ...weights.map((name): [string, string] => [name, step.averages.get(name) ?? name]),
      ...Object.keys(statistics.next).map((name): [string, string] => [name, name]),
    ]),
  };
}
