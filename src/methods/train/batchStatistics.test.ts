import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { train } from "#methods/train/train";
import type { TrainingData, TrainOptions } from "#methods/train/types";
import { createNode } from "#model/attributes";
import { float32, toNumbers } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { modelOf } from "../../../test/modelBuilder";

const model = modelOf({
  inputs: { x: ["float32", ["N", 2]] },
  outputs: ["scores"],
  weights: {
    scale: float32([2], [1, 1]),
    shift: float32([2], [0, 0]),
    mean: float32([2], [0, 0]),
    variance: float32([2], [1, 1]),
    w: float32([2, 2], [0.1, -0.2, 0.3, 0.1]),
  },
  nodes: [
    createNode("BatchNormalization", ["x", "scale", "shift", "mean", "variance"], ["n"], { momentum: { float: 0.5 } }),
    createNode("MatMul", ["n", "w"], ["scores"]),
  ],
});

/** Points around (3, −5), ten times as far apart in y as in x. */
const rng = createRng("clouds");
const rows = Array.from({ length: 64 }, () => [3 + rng.uniform(), -5 + 10 * rng.uniform()]);
const data: TrainingData = {
  name: "clouds",
  length: rows.length,
  sample: async (i) => ({ inputs: { x: float32([1, 2], rows[i]) }, label: rows[i][0] > 3.5 ? 1 : 0, id: `${i}` }),
};
const options: TrainOptions = {
  openSession: createReferenceSession,
  data,
  loss: { kind: "cross-entropy" },
  epochs: 4,
  batch: 16,
  learningRate: 0.1,
};

describe("batch normalization in training", () => {
  test("follows the batches' statistics, which the result has as an inference model", async () => {
    const { model: trained, weights } = await train(model, { ...options, normalization: "batch" });
    const [mean, variance] = [weights.mean, weights.variance].map((value) => [...toNumbers(value)]);
    expect(mean[0]).toBeCloseTo(3.5, 1);
    expect(Math.abs(mean[1])).toBeLessThan(1.5);
    expect(variance[0]).toBeCloseTo(1 / 12, 1);
    expect(variance[1]).toBeGreaterThan(4); // 100/12, as far as 64 points tell
    expect(trained.graph.nodes).toBe(model.graph.nodes);
    const held = await train(trained, { ...options, epochs: 1, learningRate: 1e-9, heldOut: data });
    expect(held.before?.accuracy).toBeGreaterThan(0.9);
  });

  test("keeps its statistics when frozen, and learns scale and shift", async () => {
    const { weights, model: trained } = await train(model, options);
    expect(Object.keys(weights)).toEqual(["scale", "shift", "w"]);
    expect([...toNumbers(weights.scale)]).not.toEqual([1, 1]);
    expect(trained.graph.initializers.get("mean")).toBe(model.graph.initializers.get("mean"));
  });

  test("keeps its statistics over a batch that has no finite loss", async () => {
    const sick = {
      ...data,
      sample: async () => ({ inputs: { x: float32([1, 2], [Number.NaN, 0]) }, label: 0, id: "" }),
    };
    const { weights } = await train(model, { ...options, data: sick, epochs: 1, normalization: "batch" });
    expect([...toNumbers(weights.mean)]).toEqual([0, 0]);
    expect([...toNumbers(weights.variance)]).toEqual([1, 1]);
  });
});
