import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { train } from "#methods/train/train";
import type { CheckpointStore, TrainingData, TrainOptions } from "#methods/train/types";
import { createNode } from "#model/attributes";
import { float32, toNumbers } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { modelOf } from "../../../test/modelBuilder";

const random = (dims: readonly number[], seed: string) => {
  const rng = createRng(seed);
  const size = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Float32Array.from({ length: size }, () => rng.uniform() - 0.5),
  );
};

/** Two layers for points of the plane. */
const classifier = modelOf({
  inputs: { x: ["float32", ["N", 2]] },
  outputs: ["scores"],
  weights: { w1: random([2, 8], "w1"), b1: random([8], "b1"), w2: random([8, 2], "w2") },
  nodes: [
    createNode("MatMul", ["x", "w1"], ["p"]),
    createNode("Add", ["p", "b1"], ["q"]),
    createNode("Relu", ["q"], ["h"]),
    createNode("MatMul", ["h", "w2"], ["scores"]),
  ],
});

/** Whether a point lies in the unit circle's left or right half, with an edge that bends. */
function points(length: number, seed: string): TrainingData {
  const rng = createRng(seed);
  const rows = Array.from({ length }, () => [2 * rng.uniform() - 1, 2 * rng.uniform() - 1]);
  return {
    name: seed,
    length,
    sample: async (i) => ({
      inputs: { x: float32([1, 2], rows[i]) },
      label: rows[i][0] > rows[i][1] ** 2 - 0.3 ? 1 : 0,
      id: `${seed}#${i}`,
    }),
  };
}

const options: TrainOptions = {
  openSession: createReferenceSession,
  data: points(64, "train"),
  heldOut: points(20, "held out"),
  loss: { kind: "cross-entropy" },
  epochs: 4,
  batch: 16,
  learningRate: 0.05,
  schedule: { kind: "cosine", warmupEpochs: 1 },
  optimizer: { name: "adam" },
  seed: 3,
};

function memoryStore(): CheckpointStore & { bytes?: Uint8Array } {
  const store: CheckpointStore & { bytes?: Uint8Array } = {
    load: async () => store.bytes,
    save: async (bytes) => void (store.bytes = bytes),
  };
  return store;
}

const numbers = (tensors: Readonly<Record<string, Parameters<typeof toNumbers>[0]>>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, [...toNumbers(value)]]));

describe("training", () => {
  test("makes a model better on samples it was not trained on, and keeps graph and names", async () => {
    const trained = await train(classifier, options);
    expect(trained.curve).toHaveLength(4);
    expect(trained.before?.accuracy).toBeLessThan(0.8);
    expect(trained.curve[trained.epoch - 1].heldOut?.accuracy).toBeGreaterThanOrEqual(0.85);
    expect(trained.curve[3].loss).toBeLessThan(trained.curve[0].loss);
    expect(trained.model.graph.nodes).toBe(classifier.graph.nodes);
    expect([...trained.model.graph.initializers.keys()]).toEqual([...classifier.graph.initializers.keys()]);
  });

  test("is the same for the same seed, and another for another", async () => {
    const [a, b, c] = await Promise.all([3, 3, 4].map((seed) => train(classifier, { ...options, epochs: 1, seed })));
    expect(numbers(a.weights)).toEqual(numbers(b.weights));
    expect(numbers(a.weights)).not.toEqual(numbers(c.weights));
  });

  const own = { ...options, epochs: 2, accumulate: 2, average: 0.9, heldOut: undefined };
  const whole = memoryStore();
  const straight = train(classifier, { ...own, checkpoint: whole });
  test.each([1, 4, 7])(
    "that is stopped after %i batches and resumed gives the bytes of one that was not",
    async (stop) => {
      const uninterrupted = await straight;
      const halves = memoryStore();
      const controller = new AbortController();
      let batches = 0;
      const onProgress = () => void (++batches === stop && controller.abort());
      const first = train(classifier, { ...own, checkpoint: halves, signal: controller.signal, onProgress });
      await expect(first).rejects.toMatchObject({ code: "run/interrupted" });
      const second = await train(classifier, { ...own, checkpoint: halves, resume: true });
      expect(numbers(second.weights)).toEqual(numbers(uninterrupted.weights));
      expect(second.curve).toEqual(uninterrupted.curve);
      expect(halves.bytes).toEqual(whole.bytes);
    },
  );

  test("that is stopped while it judges goes on with judging", async () => {
    const own = { ...options, epochs: 2 };
    const uninterrupted = await train(classifier, own);
    const store = memoryStore();
    const controller = new AbortController();
    const heldOut: TrainingData = {
      ...points(20, "held out"),
      sample: (i) => {
        if (store.bytes !== undefined && i === 10) controller.abort();
        return points(20, "held out").sample(i);
      },
    };
    const first = train(classifier, { ...own, heldOut, checkpoint: store, signal: controller.signal });
    await expect(first).rejects.toMatchObject({ code: "run/interrupted" });
    const second = await train(classifier, { ...own, checkpoint: store, resume: true });
    expect(second.curve).toEqual(uninterrupted.curve);
    expect(numbers(second.weights)).toEqual(numbers(uninterrupted.weights));
  });

  test("keeps the epoch that did best on the held-out samples, or the last", async () => {
    const right = points(20, "held out");
    const wrong: TrainingData = {
      ...right,
      sample: async (i) => ({ ...(await right.sample(i)), label: 1 - ((await right.sample(i)).label ?? 0) }),
    };
    // the better it learns, the worse it looks
    const [best, last] = await Promise.all(
      (["best", "last"] as const).map((keep) => train(classifier, { ...options, epochs: 3, heldOut: wrong, keep })),
    );
    expect(best.epoch).toBe(1);
    expect(last.epoch).toBe(3);
    expect(numbers(best.weights)).not.toEqual(numbers(last.weights));
  });

  test("stops when the target is met", async () => {
    const { curve, stopped } = await train(classifier, { ...options, epochs: 20, targetAccuracy: 0.8 });
    expect(stopped).toBe("target");
    expect(curve.length).toBeLessThan(20);
    expect(curve.at(-1)?.heldOut?.accuracy).toBeGreaterThanOrEqual(0.8);
  });

  test("learns the answers of a teacher without labels", async () => {
    const teacher = (await train(classifier, options)).model;
    const bare = (data: TrainingData): TrainingData => ({
      ...data,
      sample: async (i) => ({ ...(await data.sample(i)), label: undefined }),
    });
    const { before, curve } = await train(classifier, {
      ...options,
      data: bare(options.data),
      heldOut: bare(points(20, "held out")),
      loss: { kind: "distillation" },
      teacher,
      epochs: 6,
    });
    const after = curve.at(-1)?.heldOut;
    expect(after?.accuracy).toBeGreaterThan(before?.accuracy ?? 1);
    expect(after?.loss).toBeLessThan((before?.loss ?? 0) / 4);
  });

  test("that diverges ends, says what to lower, and leaves the checkpoint of the last epoch", async () => {
    const checkpoint = memoryStore();
    const sick = {
      ...options.data,
      sample: async (i: number) => ({ inputs: { x: float32([1, 2], [Number.NaN, 0]) }, label: 0, id: `${i}` }),
    };
    await expect(train(classifier, { ...options, data: sick, checkpoint, badBatches: 3 })).rejects.toMatchObject({
      code: "train/diverged",
      message: "the training diverged: batch 3 had a loss of NaN, the last of 3 bad ones in a row",
      hint: expect.stringContaining("lower the learning rate (0.05 → 0.005)"),
    });
    expect(checkpoint.bytes).toBeUndefined();
    const steep = train(classifier, { ...options, optimizer: { name: "sgd" }, learningRate: 1e6, checkpoint });
    await expect(steep).rejects.toMatchObject({ code: "train/diverged" });
  });

  test("one bad batch changes nothing and is counted", async () => {
    const { data } = options;
    const poisoned = {
      ...data,
      sample: async (i: number) =>
        i === 7 ? { ...(await data.sample(i)), inputs: { x: float32([1, 2], [Number.NaN, 0]) } } : data.sample(i),
    };
    const { skippedBatches, weights, curve } = await train(classifier, { ...options, data: poisoned });
    expect(skippedBatches).toBe(4); // one an epoch
    expect(toNumbers(weights.w1).every(Number.isFinite)).toBe(true);
    expect(curve.every(({ loss }) => Number.isFinite(loss))).toBe(true);
  });

  test.each([
    ["fewer samples than a batch", { batch: 65 }, "data/none"],
    ["no teacher for a loss that needs one", { loss: { kind: "distillation" } }, "train/no-target"],
    ["a label beyond the classes", { classOffset: 1 }, "data/labels"],
    [
      "no labels",
      { data: { ...points(64, "train"), sample: async () => ({ inputs: { x: float32([1, 2], [0, 0]) }, id: "a" }) } },
      "data/labels",
    ],
    ["half an epoch", { epochs: 0.5 }, "usage/argument"],
  ] as const)("is refused for %s", async (_, change, code) => {
    await expect(train(classifier, { ...options, ...change })).rejects.toMatchObject({ code });
  });

  test("is refused for a model without weights", async () => {
    const bare = modelOf({
      inputs: { x: ["float32", ["N", 2]] },
      outputs: ["y"],
      nodes: [createNode("Relu", ["x"], ["y"])],
    });
    await expect(train(bare, options)).rejects.toMatchObject({ code: "train/no-weights" });
  });

  test("does not resume from another training, nor from a damaged checkpoint", async () => {
    const checkpoint = memoryStore();
    await train(classifier, { ...options, epochs: 1, checkpoint });
    const again = (change: Partial<TrainOptions>) =>
      train(classifier, { ...options, epochs: 1, checkpoint, resume: true, ...change });
    await expect(again({ seed: 9 })).rejects.toMatchObject({
      code: "train/checkpoint",
      message: expect.stringContaining("seed 3, now 9"),
    });
    const whole = checkpoint.bytes ?? new Uint8Array();
    for (const damaged of [
      whole.slice(0, -1),
      Uint8Array.from(whole, (byte, i) => (i === 200 ? byte ^ 1 : byte)),
      new Uint8Array(3),
    ]) {
      checkpoint.bytes = damaged;
      await expect(again({})).rejects.toMatchObject({ code: "train/checkpoint" });
    }
  });
});
