/**
 * Trains a model: mini-batches in shuffled order, each one step of the graph that `trainingStep` makes, weights and optimizer states
 * staying inside the runtime from the first step to the last.
 *
 * After every epoch the held-out samples judge the model as it would be used, the learning curve grows by a point, and all states go to
 * the checkpoint. A training that was interrupted and resumed gives the bytes of one that was not: everything random follows from seed
 * and position, and states are kept bit for bit.
 */
import { LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import { hash32 } from "#base/rng";
import { countAnswers } from "#methods/train/answers";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type TrainingPosition } from "#methods/train/checkpoint";
import { epochOrder } from "#methods/train/epochOrder";
import { createFeeder } from "#methods/train/feeder";
import { createJudge } from "#methods/train/judge";
import { learningRateAt } from "#methods/train/learningRate";
import { type TrainingGraph, trainingGraph } from "#methods/train/trainingGraph";
import type { EpochPoint, Judgement, Trained, TrainOptions } from "#methods/train/types";
import { withWeights } from "#methods/train/withWeights";
import type { Model } from "#model/model";
import { canIterate, type IteratingSession, type Tensors } from "#model/session";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";
import { readWeight } from "#model/weights";

/**
 * Throws train/diverged when the loss is lost, train/checkpoint for one of another training, run/interrupted after an abort (the state is
 * in the checkpoint then), data/* and model/* for what does not fit together.
 */
export async function train(model: Model, options: TrainOptions): Promise<Trained> {
  const { data, heldOut, epochs, batch, accumulate = 1, openSession, session: sessionOptions, checkpoint } = options;
  const perEpoch = batchesPerEpoch(options);
  const { inputs } = await data.sample(0);
  const graph = await trainingGraph(model, inputs, options);
  const closing: (() => Promise<void>)[] = [];
  try {
    const feeder = await createFeeder(graph, inputs, batch, options);
    closing.push(() => feeder.close());
    const judge =
      heldOut === undefined || heldOut.length === 0 ? undefined : await createJudge(model, heldOut, options);
    if (judge !== undefined) closing.push(() => judge.close());
    const session = await openSession(graph.step.model, { memoryBytes: graph.memoryBytes, ...sessionOptions });
    closing.push(() => session.close());
    if (!canIterate(session))
      throw new LowbitError("runtime/unavailable", `${session.runtime} cannot keep weights between steps`, {
        hint: "train with ort-node or ort-web",
      });
    const identity = identityOf(graph, options);
    const saved = options.resume === true ? await checkpoint?.load() : undefined;
    const start = saved === undefined ? undefined : resumed(decodeCheckpoint(saved), identity);
    const before =
      start?.position.before ?? (judge === undefined ? null : await judge.judge(await weightsOf(model, graph)));
    let position: TrainingPosition = start?.position ?? { ...fresh, before };
    let states: Tensors | undefined = start?.states ?? graph.step.initial; // fed to the next step; inside the session afterwards
    let best: Tensors = start?.best ?? {};
    const results = async (): Promise<Record<string, Tensor>> => {
      const held = states ?? (await session.carried([...graph.results.values()]));
      return Object.fromEntries([...graph.results].map(([name, state]) => [name, held[state]]));
    };
    const save = async (): Promise<void> => {
      if (checkpoint === undefined) return;
      const held = states ?? (await session.carried(Object.keys(graph.step.carry)));
      await checkpoint.save(encodeCheckpoint({ identity, position, states: held, best }));
    };
    let stopped = goalMet(position.curve.at(-1), options) ? ("target" as const) : ("epochs" as const);
    try {
      while (position.curve.length < epochs && stopped === "epochs") {
        const epoch = position.curve.length;
        const order = epochOrder(data.length, options.seed ?? 0, epoch);
        for (let i = position.batches - epoch * perEpoch; i < perEpoch; i++) {
          throwIfAborted(options.signal);
          const chosen = order.subarray(i * batch, (i + 1) * batch);
          const samples = await Promise.all(Array.from(chosen, (index) => data.sample(index)));
          const feeds = await feeder.feeds(samples);
          const told = await oneStep(session, graph, { ...states, ...feeds }, position.batches, perEpoch, options);
          states = undefined;
          position = advanced(position, told, feeds, graph, options);
          const note = noteOf(position, heldOutAccuracy(position.curve.at(-1)));
          options.onProgress?.({ stage: `epoch ${epoch + 1}/${epochs}`, done: i + 1, total: perEpoch, note });
        }
        const mean = position.sums.loss / Math.max(1, position.sums.batches);
        if (mean > lostFactor * Math.max(1, position.firstLoss ?? 0))
          throw diverged(`epoch ${epoch + 1} had a loss of ${mean}`, position, options);
        const weights = await results();
        const judgement = judge === undefined ? null : await judge.judge(weights);
        const { sums } = position;
        const steps = position.batches / accumulate;
        const point: EpochPoint = {
          epoch: epoch + 1,
          steps,
          learningRate: rateAt(steps - 1, perEpoch, options),
          loss: mean,
          accuracy: sums.judged === 0 ? null : sums.right / sums.judged,
          heldOut: judgement,
        };
        if (
          judgement !== null &&
          options.keep !== "last" &&
          isBetter(judgement, position.curve[position.bestEpoch - 1]?.heldOut)
        ) {
          best = weights;
          position = { ...position, bestEpoch: epoch + 1 };
        }
        position = { ...position, curve: [...position.curve, point], sums: noSums };
        await save();
        options.onEpoch?.(point);
        if (goalMet(point, options)) stopped = "target";
      }
    } catch (error) {
      if (error instanceof LowbitError && error.code === "run/interrupted") await save();
      throw error;
    }
    const weights = position.bestEpoch === 0 ? await results() : best;
    return {
      model: withWeights(model, weights),
      weights,
      curve: position.curve,
      before,
      epoch: position.bestEpoch || position.curve.length,
      stopped,
      skippedBatches: position.skippedBatches,
      runtime: session.runtime,
    };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

const noSums = { loss: 0, batches: 0, right: 0, judged: 0 };
const fresh = { batches: 0, curve: [], bestEpoch: 0, sums: noSums, skippedBatches: 0, badInARow: 0, firstLoss: null };

function batchesPerEpoch({ data, batch, epochs, accumulate = 1, learningRate }: TrainOptions): number {
  for (const [name, value] of Object.entries({ epochs, batch, accumulate }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new LowbitError("usage/argument", `${name} is a whole number above 0, not ${value}`);
  if (!(learningRate > 0 && learningRate < Number.POSITIVE_INFINITY))
    throw new LowbitError("usage/argument", `the learning rate is a number above 0, not ${learningRate}`);
  // every epoch ends with a step
  const count = Math.floor(data.length / (batch * accumulate)) * accumulate;
  if (count > 0) return count;
  throw new LowbitError(
    "data/none",
    `${data.name} has ${data.length} samples to train on, fewer than the ${batch * accumulate} of one step`,
    { hint: "give more data, or use smaller batches (--batch, --accumulate)" },
  );
}

function rateAt(step: number, perEpoch: number, options: TrainOptions): number {
  const { schedule = { kind: "constant" }, learningRate, epochs, accumulate = 1 } = options;
  const stepsPerEpoch = perEpoch / accumulate;
  return learningRateAt(schedule, learningRate, step, { steps: epochs * stepsPerEpoch, stepsPerEpoch });
}

async function oneStep(
  session: IteratingSession,
  { step, answer }: TrainingGraph,
  feeds: Tensors,
  batches: number,
  perEpoch: number,
  options: TrainOptions,
): Promise<Record<string, Tensor>> {
  const { accumulate = 1 } = options;
  const done = Math.floor(batches / accumulate);
  const { learningRate, step: number, apply } = step.scalars;
  const element = step.initial[Object.keys(step.initial)[0]].type;
  const scalar = (value: number): Tensor => fromNumbers(element, [], [value]);
  const last = batches % accumulate === accumulate - 1;
  const scalars = {
    [learningRate]: scalar(rateAt(done, perEpoch, options)),
    [number]: scalar(done + 1),
    ...(apply === undefined ? {} : { [apply]: { type: "bool", dims: [], data: Uint8Array.of(last ? 1 : 0) } as const }),
  };
  const fetches = [step.loss, ...(answer === undefined ? [] : [answer.value])];
  return session.step({ ...feeds, ...scalars }, step.carry, fetches);
}

/** A loss this many times the first is lost, of a batch or of an epoch, even if it is a number. */
const lostFactor = 100;

function advanced(
  position: TrainingPosition,
  told: Tensors,
  feeds: Tensors,
  { step, answer }: TrainingGraph,
  options: TrainOptions,
): TrainingPosition {
  const { sums, firstLoss } = position;
  const [loss] = toNumbers(told[step.loss]);
  const finite = Number.isFinite(loss);
  const bad = !finite || (firstLoss !== null && loss > lostFactor * Math.max(1, firstLoss));
  const badInARow = bad ? position.badInARow + 1 : 0;
  const batches = position.batches + 1;
  const limit = options.badBatches ?? 5;
  if (badInARow >= limit)
    throw diverged(`batch ${batches} had a loss of ${loss}, the last of ${limit} bad ones in a row`, position, options);
  const counted = finite && answer ? countAnswers(told[answer.value], feeds[answer.wanted], answer.classes) : undefined;
  return {
    ...position,
    batches,
    badInARow,
    skippedBatches: position.skippedBatches + (finite ? 0 : 1),
    firstLoss: firstLoss ?? (finite ? loss : null),
    sums: finite
      ? {
          loss: sums.loss + loss,
          batches: sums.batches + 1,
          right: sums.right + (counted?.right ?? 0),
          judged: sums.judged + (counted?.judged ?? 0),
        }
      : sums,
  };
}

function diverged(what: string, { curve }: TrainingPosition, options: TrainOptions): LowbitError {
  const { learningRate, clipNorm, checkpoint } = options;
  const lower = `lower the learning rate (${learningRate} → ${learningRate / 10})`;
  const clip = clipNorm === undefined ? ", or limit gradients (--clip-norm 1)" : "";
  const kept = checkpoint === undefined || curve.length === 0 ? "" : `; the checkpoint holds epoch ${curve.length}`;
  return new LowbitError("train/diverged", `the training diverged: ${what}`, { hint: `${lower}${clip}${kept}` });
}

/** By accuracy, where answers are classes; equal accuracies by loss. */
function isBetter(a: Judgement, b: Judgement | null | undefined): boolean {
  if (b === null || b === undefined) return true;
  const gain = (a.accuracy ?? 0) - (b.accuracy ?? 0);
  return gain > 0 || (gain === 0 && a.loss < b.loss);
}

function goalMet(point: EpochPoint | undefined, { targetAccuracy }: TrainOptions): boolean {
  return targetAccuracy !== undefined && (heldOutAccuracy(point) ?? -1) >= targetAccuracy;
}

function heldOutAccuracy(point: EpochPoint | undefined): number | null {
  return point?.heldOut?.accuracy ?? null;
}

/** → "loss 0.412, 87.3 % right; held out 88.0 %" */
function noteOf({ sums }: TrainingPosition, before: number | null): string {
  const share = (x: number): string => `${(100 * x).toFixed(1)} %`;
  const right = sums.judged === 0 ? "" : `, ${share(sums.right / sums.judged)} right`;
  const held = before === null ? "" : `; held out ${share(before)}`;
  return `loss ${(sums.loss / Math.max(1, sums.batches)).toPrecision(3)}${right}${held}`;
}

/** The original values of what the training changes. */
async function weightsOf({ graph }: Model, { results }: TrainingGraph): Promise<Record<string, Tensor>> {
  const entries = [...results.keys()].flatMap((name) => {
    const ref = graph.initializers.get(name);
    return ref === undefined ? [] : [{ name, ref }];
  });
  return Object.fromEntries(await Promise.all(entries.map(async ({ name, ref }) => [name, await readWeight(ref)])));
}

function identityOf({ step }: TrainingGraph, options: TrainOptions): Checkpoint["identity"] {
  const { data, batch, accumulate = 1, epochs, seed = 0, optimizer } = options;
  const shapes = Object.entries(step.initial).map(([name, { dims }]) => `${name} [${dims.join(", ")}]`);
  return {
    states: hash32(shapes.join()),
    samples: data.length,
    batch,
    accumulate,
    epochs,
    seed,
    optimizer: optimizer?.name ?? "sgd",
  };
}

function resumed(checkpoint: Checkpoint, identity: Checkpoint["identity"]): Checkpoint {
  const other = Object.keys(identity).filter((key) => checkpoint.identity[key] !== identity[key]);
  if (other.length === 0) return checkpoint;
  const told = other.map((key) => `${key} ${checkpoint.identity[key]}, now ${identity[key]}`);
  throw new LowbitError("train/checkpoint", `the checkpoint is of another training: ${told.join("; ")}`, {
    hint: "resume with the same model, data and options, or start anew without --resume",
  });
}
