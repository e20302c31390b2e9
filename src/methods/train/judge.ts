/** How good weights are, on samples that are not trained on: the model as it will be used, statistics fixed. */
import { throwIfAborted } from "#base/interrupt";
import { countAnswers } from "#methods/train/answers";
import { type Feeder, createFeeder } from "#methods/train/feeder";
import { type LossGraph, lossGraph } from "#methods/train/trainingGraph";
import type { Judgement, TrainingData, TrainOptions } from "#methods/train/types";
import { withWeights } from "#methods/train/withWeights";
import type { Model } from "#model/model";
import type { Tensors } from "#model/session";
import { toNumbers } from "#model/tensor";

interface Part {
  readonly graph: LossGraph;
  readonly feeder: Feeder;
  /** First sample of each batch. */
  readonly starts: readonly number[];
  readonly size: number;
}

/** A judge of weights on `data`: whole batches, then one of what is left. */
export async function createJudge(
  model: Model,
  data: TrainingData,
  options: TrainOptions,
): Promise<{ judge(weights: Tensors): Promise<Judgement>; close(): Promise<void> }> {
  const { openSession, session, batch, loss, signal } = options;
  const { inputs } = await data.sample(0);
  const parts: Part[] = [];
  const rest = data.length % batch;
  const full = Array.from({ length: Math.floor(data.length / batch) }, (_, i) => i * batch);
  for (const [size, starts] of [[batch, full] as const, [rest, rest === 0 ? [] : [data.length - rest]] as const]) {
    if (starts.length === 0) continue;
    const graph = await lossGraph(model, inputs, size, loss);
    parts.push({ graph, feeder: await createFeeder(graph, inputs, size, options), starts, size });
  }
  return {
    async judge(weights) {
      const sums = { loss: 0, right: 0, judged: 0 };
      for (const { graph, feeder, starts, size } of parts) {
        const { loss: cost, answer } = graph;
        const opened = await openSession(withWeights(graph.model, weights), session);
        try {
          for (const start of starts) {
            throwIfAborted(signal);
            const samples = await Promise.all(Array.from({ length: size }, (_, i) => data.sample(start + i)));
            const feeds = await feeder.feeds(samples);
            const seen = answer !== undefined && opened.outputNames.includes(answer.value) ? answer : undefined;
            const told = await opened.run(feeds, [cost, ...(seen === undefined ? [] : [seen.value])]);
            sums.loss += toNumbers(told[cost])[0] * size;
            if (seen === undefined) continue;
            const { right, judged } = countAnswers(told[seen.value], feeds[seen.wanted], seen.classes);
            sums.right += right;
            sums.judged += judged;
          }
        } finally {
          await opened.close();
        }
      }
      return { loss: sums.loss / data.length, accuracy: sums.judged === 0 ? null : sums.right / sums.judged };
    },
    async close() {
      for (const { feeder } of parts) await feeder.close();
    },
  };
}
