import { LowbitError } from "#base/errors";
import { joinLabels, joinSamples, teacherFeeds } from "#methods/train/batchFeeds";
import { rebatch } from "#methods/train/rebatch";
import type { LossGraph } from "#methods/train/trainingGraph";
import type { TrainingSample, TrainOptions } from "#methods/train/types";
import type { Model, ValueInfo } from "#model/model";
import type { Tensors } from "#model/session";
import type { Tensor } from "#model/tensor";

/** Makes what a loss graph is fed of samples: inputs, labels, and the teacher's answers, asked on the spot. */
export interface Feeder {
  feeds(samples: readonly TrainingSample[]): Promise<Record<string, Tensor>>;
  close(): Promise<void>;
}

/** Throws train/no-target where the loss compares with a teacher and there is none, or with targets, which no data has yet. */
export async function createFeeder(
  { inputs, answer }: LossGraph,
  sample: Tensors,
  batch: number,
  { teacher, openSession, session, classOffset = 0 }: TrainOptions,
): Promise<Feeder> {
  const asked = inputs.filter(({ role }) => role === "teacher").map(({ of }) => of);
  const targets = inputs.find(({ role }) => role === "targets");
  if (targets !== undefined)
    throw new LowbitError(
      "train/no-target",
      `the loss compares ${targets.of} with target values, which the data lacks`,
      {
        at: { tensor: targets.of },
        hint: "train on labels (--loss cross-entropy), or on the answers of a teacher (--teacher)",
      },
    );
  if (asked.length > 0 && teacher === undefined)
    throw new LowbitError("train/no-target", "the loss compares with a teacher, and there is none", {
      hint: "give the float parent: --teacher model.onnx",
    });
  const opened =
    asked.length === 0 || teacher === undefined
      ? undefined
      : await openSession((await rebatch(exposing(teacher, asked), sample, batch)).model, session);
  return {
    async feeds(samples) {
      const joined = joinSamples(samples);
      const answers = opened === undefined ? {} : teacherFeeds(inputs, await opened.run(joined, asked));
      const labels = inputs
        .filter(({ role }) => role === "labels")
        .map((input) => {
          const classes = input.name === answer?.wanted ? answer.classes : Number.POSITIVE_INFINITY;
          return [input.name, joinLabels(samples, input, { classes, classOffset })] as const;
        });
      return { ...joined, ...answers, ...Object.fromEntries(labels) };
    },
    close: async () => opened?.close(),
  };
}

/** The model with these values among its outputs. */
function exposing(model: Model, values: readonly string[]): Model {
  const { outputs } = model.graph;
  const more = values
    .filter((name) => !outputs.some((output) => output.name === name))
    .map((name): ValueInfo => ({ name, type: undefined, doc: "", metadata: new Map() }));
  return more.length === 0 ? model : { ...model, graph: { ...model.graph, outputs: [...outputs, ...more] } };
}
