/** Losses against PyTorch's in float64 (bench/peers/make_gradient_fixtures.py), and what they refuse. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { appendLoss } from "#grad/appendLoss";
import { differentiate } from "#grad/differentiate";
import type { Loss } from "#grad/losses/types";
import { createNode } from "#model/attributes";
import { interpret } from "#model/interpreter";
import type { Model, Node } from "#model/model";
import { float32, int64, sizeOf, type Tensor, toNumbers } from "#model/tensor";
import { modelOf } from "../modelBuilder";
import { checkSlopes, float64 } from "./checkGradient";

interface Case {
  readonly name: string;
  readonly loss: Loss;
  readonly shape: readonly number[];
  readonly x: readonly number[];
  readonly labels?: unknown[];
  readonly tokens?: unknown[];
  /** Targets, or what the teacher says. */
  readonly other?: readonly number[];
  readonly value: number;
  readonly gradient: readonly number[];
}

const { cases } = JSON.parse(readFileSync(new URL("../golden/gradients/losses.json", import.meta.url), "utf8")) as {
  cases: readonly Case[];
};

const doubles = (dims: readonly number[], data: readonly number[]): Tensor => ({
  type: "float64",
  dims,
  data: Float64Array.from(data),
});
const integers = (dims: readonly number[], data: readonly unknown[]): Tensor => int64(dims, data.flat(9) as number[]);

/** A model whose output y is x, or what `nodes` make of x. */
function modelFor(shape: readonly number[], nodes = [createNode("Identity", ["x"], ["y"])]): Model {
  return modelOf({ inputs: { x: ["float64", shape], tokens: ["int64", shape.slice(0, 2)] }, outputs: ["y"], nodes });
}

describe("losses have PyTorch's values and gradients", () => {
  test.each(cases.map((each) => [each.name, each] as const))("%s", async (_, given) => {
    const { shape, loss } = given;
    const { model, loss: name, inputs } = await appendLoss(modelFor(shape), loss);
    const { model: graph, gradients } = await differentiate(model, name, ["x"]);
    const feeds: Record<string, Tensor> = {
      x: doubles(shape, given.x),
      ...(given.tokens === undefined ? {} : { tokens: integers(shape.slice(0, 2), given.tokens) }),
    };
    for (const input of inputs)
      feeds[input.name] =
        input.role === "labels" ? integers(input.shape, given.labels ?? []) : doubles(shape, given.other ?? []);
    const found = (await interpret(graph)).run(feeds);
    expect(found[name].dims).toEqual([]);
    expect(toNumbers(found[name])[0]).toBeCloseTo(given.value, 11);
    const gradient = toNumbers(found[gradients[0]]);
    given.gradient.forEach((expected, i) => expect(gradient[i]).toBeCloseTo(expected, 11));
  });
});

describe("a model that gives probabilities", () => {
  const labels = int64([2], [2, 0]);
  const runOf = async (nodes: Node[], loss: Loss, feeds: Record<string, Tensor>): Promise<number> => {
    const { model, loss: name } = await appendLoss(modelFor([2, 3], nodes), loss);
    return toNumbers((await interpret(model)).run(feeds)[name])[0];
  };
  const softmax = createNode("Softmax", ["x"], ["y"]);
  const moved = [createNode("Softmax", ["x"], ["p"]), createNode("Flatten", ["p"], ["y"])];
  const x = float64([2, 3]);

  test("has the loss of its logits", async () => {
    const entropy = (nodes?: Node[]) =>
      runOf(nodes ?? [createNode("Identity", ["x"], ["y"])], { kind: "cross-entropy" }, { x, labels });
    const expected = await entropy();
    expect(await entropy([softmax])).toBe(expected);
    expect(await entropy(moved)).toBeCloseTo(expected, 10);
    expect(await entropy([createNode("LogSoftmax", ["x"], ["y"])])).toBeCloseTo(expected, 12);
  });

  test("does not overflow where its logits are far apart", async () => {
    const far = doubles([2, 3], [0, 0, -2000, 0, 0, 0]);
    expect(await runOf([softmax], { kind: "cross-entropy" }, { x: far, labels })).toBeCloseTo(
      (2000 + Math.log(2) + Math.log(3)) / 2,
      9,
    );
  });

  test("is distilled from its teacher's probabilities: nothing is lost where both agree", async () => {
    const teacher = (await interpret(modelFor([2, 3], [softmax]))).run({ x }).y;
    expect(await runOf([softmax], { kind: "distillation" }, { x, teacher })).toBeCloseTo(0, 10);
    expect(await runOf(moved, { kind: "distillation", temperature: 2 }, { x, teacher })).toBeCloseTo(0, 10);
  });
});

describe("losses of several parts", () => {
  const nodes = [createNode("MatMul", ["x", "w"], ["h"]), createNode("Tanh", ["h"], ["y"])];
  const model = modelOf({ inputs: { x: ["float64", [2, 3]], w: ["float64", [3, 4]] }, outputs: ["y"], nodes });
  const loss: Loss = {
    kind: "sum",
    terms: [
      { weight: 0.5, loss: { kind: "cross-entropy" } },
      { weight: 2, loss: { kind: "distillation" } },
      { weight: 0.25, loss: { kind: "features", values: ["h", "y"] } },
    ],
  };

  test("add up, and each input says what it is for", async () => {
    const { model: whole, loss: name, inputs } = await appendLoss(model, loss);
    expect(inputs.map(({ role, of }) => [role, of])).toEqual([
      ["labels", "y"],
      ["teacher", "y"],
      ["teacher", "h"],
      ["teacher", "y"],
    ]);
    expect(new Set(inputs.map((input) => input.name)).size).toBe(4);
    const fixed = Object.fromEntries(
      inputs.map((input, i) => [
        input.name,
        input.role === "labels" ? int64([2], [3, 1]) : float64(input.shape, 20 + i),
      ]),
    );
    await checkSlopes(whole, name, { x: float64([2, 3], 1), w: float64([3, 4], 2) }, fixed);
  });
});

describe("long sums", () => {
  test.each([[[1 << 20]], [[3, 1031]]])("of %j elements go in stages", async (dims) => {
    const model = modelOf({ inputs: { x: ["float32", dims] }, outputs: ["x"], nodes: [] });
    const { model: whole } = await appendLoss(model, { kind: "mse" });
    const sums = whole.graph.nodes.filter(({ op }) => op === "ReduceSum");
    expect(sums.length).toBeGreaterThan(1);
    if (sizeOf(dims) > 10_000) return; // the reference runtime is slow
    const { model: graph, gradients } = await differentiate(whole, "loss", ["x"]);
    const x = float32(
      dims,
      Float32Array.from({ length: sizeOf(dims) }, (_, i) => i % 7),
    );
    const targets = float32(dims, new Float32Array(sizeOf(dims)));
    const found = (await interpret(graph)).run({ x, targets });
    const expected = Array.from(toNumbers(x)).reduce((sum, v) => sum + v * v, 0) / sizeOf(dims);
    expect(toNumbers(found.loss)[0]).toBeCloseTo(expected, 5);
    expect(toNumbers(found[gradients[0]])[6]).toBeCloseTo(12 / sizeOf(dims), 8);
  });
});

describe("losses that cannot be meant", () => {
  const two = modelOf({
    inputs: { x: ["float64", [2, 3]] },
    outputs: ["a", "b"],
    nodes: [createNode("Neg", ["x"], ["a"]), createNode("Abs", ["x"], ["b"])],
  });
  test.each<[string, Model, Loss, string]>([
    ["of one of two outputs", two, { kind: "mse" }, "usage/argument"],
    ["of a value that is not there", two, { kind: "mse", of: "c" }, "model/missing-tensor"],
    ["along an axis that is not there", two, { kind: "cross-entropy", of: "a", axis: 2 }, "model/shape"],
    ["of tokens that do not fit", modelFor([2, 3]), { kind: "next-token", tokens: "tokens" }, "model/shape"],
    ["at no temperature", two, { kind: "distillation", of: "a", temperature: 0 }, "usage/argument"],
    ["of no features", two, { kind: "features", values: [] }, "usage/argument"],
    ["of no terms", two, { kind: "sum", terms: [] }, "usage/argument"],
    [
      "of an open batch",
      modelOf({ inputs: { x: ["float32", ["N", 3]] }, outputs: ["x"], nodes: [] }),
      { kind: "mse" },
      "model/shape",
    ],
  ])("%s", async (_, model, loss, code) => {
    await expect(appendLoss(model, loss)).rejects.toMatchObject({ code });
  });
});
