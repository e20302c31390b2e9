import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { createNode } from "#model/attributes";
import { foldBatchNorm } from "#model/foldBatchNorm";
import type { Model } from "#model/model";
import { inferShapes } from "#model/shapes";
import { float32, type Tensor, toNumbers } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { modelOf } from "../../test/modelBuilder";

const rng = createRng(11);
const random = (...dims: number[]): Tensor =>
  float32(
    dims,
    Float32Array.from({ length: dims.reduce((n, d) => n * d, 1) }, () => normal(rng)),
  );
const positive = (...dims: number[]): Tensor =>
  float32(
    dims,
    Float32Array.from(toNumbers(random(...dims)), (v) => Math.abs(v) + 0.1),
  );
const bn = (x: string, y: string) =>
  createNode("BatchNormalization", [x, "g", "b", "m", "v"], [y], { epsilon: { float: 1e-3 } });
const norm = (c: number) => ({ g: random(c), b: random(c), m: random(c), v: positive(c) });

async function outputs(model: Model, x: Tensor): Promise<Float32Array | Float64Array> {
  const session = await createReferenceSession(model);
  return toNumbers((await session.run({ x })).y);
}

async function folded(model: Model): Promise<Model> {
  return foldBatchNorm(model, await inferShapes(model));
}

const image = { x: ["float32", [1, 4, 6, 6]] } as const;
const cases: Record<string, { model: Model; input: Tensor; left: string[] }> = {
  "after a convolution with bias": {
    model: modelOf({
      inputs: image,
      outputs: ["y"],
      nodes: [createNode("Conv", ["x", "w", "c"], ["h"], { pads: [1, 1, 1, 1] }), bn("h", "y")],
      weights: { w: random(6, 4, 3, 3), c: random(6), ...norm(6) },
    }),
    input: random(1, 4, 6, 6),
    left: ["Conv"],
  },
  "after a depthwise convolution without bias": {
    model: modelOf({
      inputs: image,
      outputs: ["y"],
      nodes: [createNode("Conv", ["x", "w"], ["h"], { group: 4 }), bn("h", "y")],
      weights: { w: random(4, 1, 3, 3), ...norm(4) },
    }),
    input: random(1, 4, 6, 6),
    left: ["Conv"],
  },
  "after a grouped transposed convolution": {
    model: modelOf({
      inputs: image,
      outputs: ["y"],
      nodes: [createNode("ConvTranspose", ["x", "w"], ["h"], { group: 2, strides: [2, 2] }), bn("h", "y")],
      weights: { w: random(4, 3, 2, 2), ...norm(6) },
    }),
    input: random(1, 4, 6, 6),
    left: ["ConvTranspose"],
  },
  "after a Gemm with transposed weights": {
    model: modelOf({
      inputs: { x: ["float32", [3, 5]] },
      outputs: ["y"],
      nodes: [createNode("Gemm", ["x", "w", "c"], ["h"], { transB: 1 }), bn("h", "y")],
      weights: { w: random(7, 5), c: random(7), ...norm(7) },
    }),
    input: random(3, 5),
    left: ["Gemm"],
  },
  "before a convolution without padding": {
    model: modelOf({
      inputs: image,
      outputs: ["y"],
      nodes: [bn("x", "h"), createNode("Conv", ["h", "w", "c"], ["y"])],
      weights: { w: random(5, 4, 3, 3), c: random(5), ...norm(4) },
    }),
    input: random(1, 4, 6, 6),
    left: ["Conv"],
  },
  "alone before a padded convolution, whose padding it must not reach": {
    model: modelOf({
      inputs: image,
      outputs: ["y"],
      nodes: [bn("x", "h"), createNode("Conv", ["h", "w"], ["y"], { pads: [1, 1, 1, 1] })],
      weights: { w: random(5, 4, 3, 3), ...norm(4) },
    }),
    input: random(1, 4, 6, 6),
    left: ["Conv", "Conv"],
  },
  "alone between two Relus": {
    model: modelOf({
      inputs: image,
      outputs: ["y"],
      nodes: [createNode("Relu", ["x"], ["p"]), bn("p", "h"), createNode("Relu", ["h"], ["y"])],
      weights: norm(4),
    }),
    input: random(1, 4, 6, 6),
    left: ["Relu", "Conv", "Relu"],
  },
  "spelled out as Mul and Add behind a convolution": {
    model: modelOf({
      inputs: image,
      outputs: ["y"],
      nodes: [
        createNode("Conv", ["x", "w"], ["h"]),
        createNode("Mul", ["h", "a"], ["k"]),
        createNode("Add", ["d", "k"], ["y"]),
      ],
      weights: { w: random(6, 4, 1, 1), a: random(6, 1, 1), d: random(1, 6, 1, 1) },
    }),
    input: random(1, 4, 6, 6),
    left: ["Conv"],
  },
  "numbers added to a product of matrices": {
    model: modelOf({
      inputs: { x: ["float32", [3, 5]] },
      outputs: ["y"],
      nodes: [createNode("MatMul", ["x", "w"], ["h"]), createNode("Add", ["d", "h"], ["y"])],
      weights: { w: random(5, 4), d: random(1, 4) },
    }),
    input: random(3, 5),
    left: ["Gemm"],
  },
  "a factor on a product of matrices, which needs no bias": {
    model: modelOf({
      inputs: { x: ["float32", [3, 5]] },
      outputs: ["y"],
      nodes: [createNode("MatMul", ["x", "w"], ["h"]), createNode("Mul", ["h", "d"], ["y"])],
      weights: { w: random(5, 4), d: random(4) },
    }),
    input: random(3, 5),
    left: ["MatMul"],
  },
  "numbers added to a batch of products, which no Gemm computes": {
    model: modelOf({
      inputs: { x: ["float32", [2, 3, 5]] },
      outputs: ["y"],
      nodes: [createNode("MatMul", ["x", "w"], ["h"]), createNode("Add", ["h", "d"], ["y"])],
      weights: { w: random(5, 4), d: random(4) },
    }),
    input: random(2, 3, 5),
    left: ["MatMul", "Add"],
  },
  "a convolution that something else reads too": {
    model: modelOf({
      inputs: image,
      outputs: ["y"],
      nodes: [createNode("Conv", ["x", "w"], ["h"]), bn("h", "k"), createNode("Add", ["h", "k"], ["y"])],
      weights: { w: random(4, 4, 1, 1), ...norm(4) },
    }),
    input: random(1, 4, 6, 6),
    left: ["Conv", "Conv", "Add"],
  },
};

describe("folding normalizations", () => {
  test.each(Object.entries(cases))("%s", async (_name, { model, input, left }) => {
    const after = await folded(model);
    expect(after.graph.nodes.map((node) => node.op)).toEqual(left);
    const [before, now] = [await outputs(model, input), await outputs(after, input)];
    const largest = Math.max(...before.map(Math.abs));
    // weights are rounded to float32 once more
    for (let i = 0; i < before.length; i++) expect(Math.abs(now[i] - before[i])).toBeLessThanOrEqual(3e-6 * largest);
  });

  test("leaves the model it was given as it was", async () => {
    const { model } = cases["after a convolution with bias"];
    await folded(model);
    expect(model.graph.nodes.map((node) => node.op)).toEqual(["Conv", "BatchNormalization"]);
  });
});
