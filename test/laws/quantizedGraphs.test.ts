/** Graphs that are awkward to quantize, each through every kind of recipe: the answer is kept, or the refusal says why. */
import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import type { Model, ValueInfo } from "#model/model";
import { float32, int64 } from "#model/tensor";
import { modelOf } from "../modelBuilder";
import { attempt, feedsFor, gauss, kernel, quantizeGraph } from "./quantizedGraph";

const recipes = ["w8a8", "w8a8-dynamic", "w8", "w4a16", "fp16"] as const;

interface Case {
  readonly what: string;
  readonly model: Model;
  /** Least signal-to-noise ratio of 8-bit recipes, in dB. Default 30. */
  readonly least?: number;
  /** Nodes that compute on codes with w8a8. Default at least 1. */
  readonly onCodes?: number;
  /** Recipes that find nothing to quantize in it. */
  readonly nothing?: readonly (typeof recipes)[number][];
}

const image = { x: ["float32", [1, 4, 10, 10]] } as const;
const conv = (x: string, w: string, y: string, attributes = {}, b?: string) =>
  createNode("Conv", b === undefined ? [x, w] : [x, w, b], [y], attributes, { name: y });
const padded = { pads: [1, 1, 1, 1] };

/** The model as old exporters write it: every weight is among the inputs too. */
function withOverridable(model: Model): Model {
  const { graph } = model;
  const infos = [...graph.initializers.values()].map(({ name, element, dims }): [string, ValueInfo] => [
    name,
    { name, type: { kind: "tensor", element, shape: dims }, doc: "", metadata: new Map() },
  ]);
  return { ...model, graph: { ...graph, overridable: new Map(infos) } };
}

const cases: readonly Case[] = [
  {
    what: "a convolution whose padding is automatic",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [conv("x", "w", "y", { auto_pad: "SAME_UPPER", strides: [2, 2] })],
      weights: { w: kernel([8, 4, 3, 3]) },
    }),
  },
  {
    what: "a dilated convolution",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [conv("x", "w", "y", { dilations: [2, 2], pads: [2, 2, 2, 2] }, "b")],
      weights: { w: kernel([8, 4, 3, 3]), b: gauss([8]) },
    }),
  },
  {
    what: "a convolution in groups",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [conv("x", "w", "y", { group: 2, ...padded }, "b")],
      weights: { w: kernel([6, 2, 3, 3]), b: gauss([6]) },
    }),
  },
  {
    what: "a depthwise convolution between two others",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [
        conv("x", "w1", "a"),
        createNode("Relu", ["a"], ["ar"]),
        conv("ar", "w2", "b", { group: 8, ...padded }),
        createNode("Clip", ["b", "zero", "six"], ["bc"]),
        conv("bc", "w3", "y"),
      ],
      weights: {
        w1: kernel([8, 4, 1, 1]),
        w2: kernel([8, 1, 3, 3]),
        w3: kernel([6, 8, 1, 1]),
        zero: float32([], [0]),
        six: float32([], [6]),
      },
    }),
  },
  {
    what: "a transposed convolution",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [createNode("ConvTranspose", ["x", "w", "b"], ["y"], { strides: [2, 2] })],
      weights: { w: kernel([4, 8, 3, 3]), b: gauss([8]) },
    }),
    onCodes: 0,
  },
  {
    what: "a one-dimensional convolution",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [1, 4, 50]] },
      outputs: ["y"],
      nodes: [conv("x", "w", "h", {}, "b"), createNode("Relu", ["h"], ["y"])],
      weights: { w: kernel([8, 4, 5]), b: gauss([8]) },
    }),
  },
  {
    what: "a three-dimensional convolution",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [1, 3, 6, 6, 6]] },
      outputs: ["y"],
      nodes: [conv("x", "w", "y", {}, "b")],
      weights: { w: kernel([8, 3, 3, 3, 3]), b: gauss([8]) },
    }),
  },
  ...[7, 8, 9, 10, 11, 12, 13, 15, 18, 19, 21, 22, 23].map(
    (opset): Case => ({
      what: `a small network of operator set ${opset}`,
      model: modelOf({
        opset,
        inputs: image,
        outputs: ["y"],
        nodes: [
          conv("x", "w1", "c", padded, "b1"),
          createNode("Relu", ["c"], ["r"]),
          createNode("MaxPool", ["r"], ["p"], { kernel_shape: [2, 2], strides: [2, 2] }),
          createNode("Flatten", ["p"], ["f"]),
          createNode("Gemm", ["f", "w2", "b2"], ["y"], { transB: 1 }),
        ],
        weights: { w1: kernel([8, 4, 3, 3]), b1: gauss([8]), w2: kernel([10, 200]), b2: gauss([10]) },
      }),
    }),
  ),
  {
    what: "a bias that overflows int32 at the scale of its weights",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [conv("x", "w", "y", {}, "b")],
      weights: { w: kernel([8, 4, 3, 3], 1, [1e14]), b: gauss([8], 2, 1000) },
    }),
  },
  {
    what: "one channel of zeros, and one of a single outlier",
    nothing: ["w8a8-dynamic", "w8", "w4a16", "fp16"],
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [conv("x", "w", "y", {}, "b")],
      weights: {
        w: float32([3, 4, 1, 1], [0, 0, 0, 0, 1, 0, 0, 1e6, 0.1, -0.2, 0.3, -0.4]),
        b: float32([3], [1, 2, 3]),
      },
    }),
  },
  {
    what: "constant weights",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [conv("x", "w", "y")],
      weights: { w: float32([8, 4, 1, 1], new Float32Array(32).fill(0.25)) },
    }),
  },
  {
    what: "weights that are all zero",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [conv("x", "w", "y", {}, "b")],
      weights: { w: float32([8, 4, 1, 1], new Float32Array(32)), b: gauss([8]) },
    }),
  },
  {
    what: "weights of one element",
    nothing: ["w8a8-dynamic", "w8", "w4a16"],
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [1, 1, 6, 6]] },
      outputs: ["y"],
      nodes: [conv("x", "w", "y", {}, "b")],
      weights: { w: float32([1, 1, 1, 1], [-0.7]), b: float32([1], [0.2]) },
    }),
  },
  {
    what: "one weight in two layers",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [conv("x", "w", "a", padded, "b"), conv("a", "w", "y", padded, "b")],
      weights: { w: kernel([4, 4, 3, 3]), b: gauss([4], 3, 0.3) },
    }),
  },
  {
    what: "one matrix that two layers read in two directions",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [2, 16]] },
      outputs: ["y"],
      nodes: [
        createNode("Gemm", ["x", "w"], ["a"], { transB: 1 }),
        createNode("Relu", ["a"], ["r"]),
        createNode("Gemm", ["r", "w"], ["y"]),
      ],
      weights: { w: kernel([24, 16]) },
    }),
  },
  {
    what: "an embedding whose table is also the last layer",
    model: modelOf({
      opset: 17,
      inputs: { x: ["int64", [1, 5]] },
      outputs: ["y"],
      nodes: [
        createNode("Gather", ["w", "x"], ["e"]),
        createNode("Relu", ["e"], ["r"]),
        createNode("Transpose", ["w"], ["wt"], { perm: [1, 0] }),
        createNode("MatMul", ["r", "wt"], ["y"]),
      ],
      weights: { w: kernel([12, 16]) },
    }),
  },
  {
    what: "a weight that something else reads too",
    nothing: ["w8a8", "w8a8-dynamic", "w8", "w4a16"],
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [3, 8]] },
      outputs: ["y", "norm"],
      nodes: [createNode("MatMul", ["x", "w"], ["y"]), createNode("ReduceL2", ["w"], ["norm"], { keepdims: 0 })],
      weights: { w: kernel([8, 8]) },
    }),
    onCodes: 0,
  },
  {
    what: "a weight that is an output as well",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [3, 8]] },
      outputs: ["y", "w"],
      nodes: [createNode("MatMul", ["x", "w"], ["y"])],
      weights: { w: kernel([8, 8]) },
    }),
    nothing: ["w8a8", "w8a8-dynamic", "w8", "w4a16"],
  },
  {
    what: "a weight that callers may replace",
    model: withOverridable(
      modelOf({
        opset: 17,
        inputs: { x: ["float32", [3, 8]] },
        outputs: ["y"],
        nodes: [createNode("MatMul", ["x", "w"], ["y"])],
        weights: { w: kernel([8, 8]) },
      }),
    ),
  },
  {
    what: "an output that is also read inside",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["a", "y"],
      nodes: [conv("x", "w1", "c"), createNode("Relu", ["c"], ["a"]), conv("a", "w2", "y")],
      weights: { w1: kernel([8, 4, 3, 3]), w2: kernel([8, 8, 3, 3]) },
    }),
  },
  {
    what: "an output before its activation",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["c", "y"],
      nodes: [conv("x", "w1", "c"), createNode("Relu", ["c"], ["a"]), conv("a", "w2", "y")],
      weights: { w1: kernel([8, 4, 3, 3]), w2: kernel([8, 8, 3, 3]) },
    }),
  },
  {
    what: "an input that is an output",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["x", "y"],
      nodes: [conv("x", "w1", "y")],
      weights: { w1: kernel([8, 4, 3, 3]) },
    }),
  },
  {
    what: "a Relu behind a Concat with a negative branch",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [
        conv("x", "w1", "a"),
        createNode("Relu", ["a"], ["ar"]),
        conv("x", "w2", "b"),
        createNode("Concat", ["ar", "b"], ["c"], { axis: 1 }),
        createNode("Relu", ["c"], ["cr"]),
        conv("cr", "w3", "y"),
      ],
      weights: { w1: kernel([8, 4, 3, 3], 1), w2: kernel([8, 4, 3, 3], 2), w3: kernel([8, 16, 1, 1]) },
    }),
  },
  {
    what: "branches of very different size that are concatenated",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [
        conv("x", "w1", "a"),
        conv("x", "w2", "b"),
        createNode("Concat", ["a", "b"], ["c"], { axis: 1 }),
        conv("c", "w3", "y"),
      ],
      weights: { w1: kernel([8, 4, 3, 3], 1), w2: gauss([8, 4, 3, 3], 2, 0.01), w3: kernel([8, 16, 1, 1]) },
    }),
    least: 25,
  },
  {
    what: "the same value twice in a Concat and in an Add",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [
        conv("x", "w1", "a"),
        createNode("Concat", ["a", "a"], ["c"], { axis: 1 }),
        createNode("Add", ["c", "c"], ["d"]),
        conv("d", "w3", "y"),
      ],
      weights: { w1: kernel([8, 4, 3, 3], 1), w3: kernel([8, 16, 1, 1]) },
    }),
  },
  {
    what: "a float stem under a MaxPool",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [
        createNode("Tanh", ["x"], ["t"]),
        createNode("MaxPool", ["t"], ["m"], { kernel_shape: [2, 2] }),
        conv("m", "w", "y"),
      ],
      weights: { w: kernel([8, 4, 3, 3]) },
    }),
  },
  {
    what: "a chain of residual blocks",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [1, 8, 8, 8]] },
      outputs: ["y"],
      nodes: [1, 2, 3].flatMap((i) => {
        const [from, to] = [i === 1 ? "x" : `y${i - 1}`, i === 3 ? "y" : `y${i}`];
        return [
          conv(from, `w${i}`, `c${i}`, padded, "b"),
          createNode("Relu", [`c${i}`], [`r${i}`]),
          conv(`r${i}`, `v${i}`, `d${i}`, padded),
          createNode("Add", [from, `d${i}`], [`s${i}`]),
          createNode("Relu", [`s${i}`], [to]),
        ];
      }),
      weights: Object.fromEntries([
        ["b", gauss([8])],
        ...[1, 2, 3].flatMap((i) => [
          [`w${i}`, kernel([8, 8, 3, 3], i)],
          [`v${i}`, kernel([8, 8, 3, 3], -i)],
        ]),
      ]),
    }),
    least: 25,
  },
  {
    what: "a mask of −∞ that is added",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [1, 6, 16]] },
      outputs: ["y"],
      nodes: [
        createNode("MatMul", ["x", "w"], ["s"]),
        createNode("Add", ["s", "mask"], ["m"]),
        createNode("Softmax", ["m"], ["a"], { axis: -1 }),
        createNode("MatMul", ["a", "v"], ["y"]),
      ],
      weights: {
        w: kernel([16, 6]),
        v: kernel([6, 16]),
        mask: float32(
          [6, 6],
          Float32Array.from({ length: 36 }, (_, i) => (i % 6 > i / 6 ? Number.NEGATIVE_INFINITY : 0)),
        ),
      },
    }),
    least: 25,
  },
  {
    what: "a mask of the least float that is added",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [1, 6, 16]] },
      outputs: ["y"],
      nodes: [
        createNode("MatMul", ["x", "w"], ["s"]),
        createNode("Add", ["s", "mask"], ["m"]),
        createNode("Softmax", ["m"], ["a"], { axis: -1 }),
        createNode("MatMul", ["a", "v"], ["y"]),
      ],
      weights: {
        w: kernel([16, 6]),
        v: kernel([6, 16]),
        mask: float32(
          [6, 6],
          Float32Array.from({ length: 36 }, (_, i) => (i % 6 > i / 6 ? -3.4028234663852886e38 : 0)),
        ),
      },
    }),
    least: 25,
  },
  {
    what: "a matrix product of two activations",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [2, 5, 8]] },
      outputs: ["y"],
      nodes: [
        createNode("MatMul", ["x", "w1"], ["a"]),
        createNode("MatMul", ["x", "w2"], ["b"]),
        createNode("Transpose", ["b"], ["bt"], { perm: [0, 2, 1] }),
        createNode("MatMul", ["a", "bt"], ["y"]),
      ],
      weights: { w1: kernel([8, 8], 1), w2: kernel([8, 8], 2) },
    }),
  },
  {
    what: "a weight of rank 3 in a batched product",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [3, 5, 8]] },
      outputs: ["y"],
      nodes: [createNode("MatMul", ["x", "w"], ["y"])],
      weights: { w: kernel([3, 8, 6], 1, [8]) },
    }),
  },
  {
    what: "a constant first operand of a product",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [8, 5]] },
      outputs: ["y"],
      nodes: [createNode("MatMul", ["w", "x"], ["y"])],
      weights: { w: kernel([6, 8]) },
    }),
    onCodes: 0,
  },
  {
    what: "a Gemm with transA, alpha and beta",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [8, 5]] },
      outputs: ["y"],
      nodes: [createNode("Gemm", ["x", "w", "b"], ["y"], { transA: 1, alpha: { float: 0.5 }, beta: { float: 2 } })],
      weights: { w: kernel([8, 6]), b: gauss([6]) },
    }),
    onCodes: 0,
  },
  {
    what: "a Gemm with transA alone",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [8, 5]] },
      outputs: ["y"],
      nodes: [createNode("Gemm", ["x", "w", "b"], ["y"], { transA: 1 })],
      weights: { w: kernel([8, 6]), b: gauss([6]) },
    }),
  },
  {
    what: "a Gemm whose bias is a matrix",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [5, 8]] },
      outputs: ["y"],
      nodes: [createNode("Gemm", ["x", "w", "b"], ["y"])],
      weights: { w: kernel([8, 6]), b: gauss([5, 6]) },
    }),
    onCodes: 0,
  },
  {
    what: "a Gemm whose bias is a row",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [5, 8]] },
      outputs: ["y"],
      nodes: [createNode("Gemm", ["x", "w", "b"], ["y"])],
      weights: { w: kernel([8, 6]), b: gauss([1, 6]) },
    }),
  },
  {
    what: "a Gemm whose bias is one number",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [5, 8]] },
      outputs: ["y"],
      nodes: [createNode("Gemm", ["x", "w", "b"], ["y"])],
      weights: { w: kernel([8, 6]), b: gauss([1]) },
    }),
    onCodes: 0,
  },
  {
    what: "a column of one output, with a bias of one number",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [5, 32]] },
      outputs: ["y"],
      nodes: [createNode("Gemm", ["x", "w", "b"], ["y"])],
      weights: { w: kernel([32, 1], 1, [32]), b: gauss([1]) },
    }),
  },
  {
    what: "pixels from 0 to 255",
    nothing: ["fp16"],
    model: modelOf({
      opset: 17,
      inputs: { x: ["uint8", [1, 4, 10, 10]] },
      outputs: ["y"],
      nodes: [createNode("Cast", ["x"], ["f"], { to: 1 }), conv("f", "w", "h"), createNode("Relu", ["h"], ["y"])],
      weights: { w: kernel([8, 4, 3, 3]) },
    }),
  },
  {
    what: "an activation that is constant",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [
        createNode("Mul", ["x", "zero"], ["z"]),
        createNode("Add", ["z", "three"], ["t"]),
        conv("t", "w", "y", {}, "b"),
      ],
      weights: { w: kernel([8, 4, 3, 3]), b: gauss([8]), zero: float32([], [0]), three: float32([], [3]) },
    }),
  },
  {
    what: "an activation that is always negative",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [createNode("Abs", ["x"], ["a"]), createNode("Neg", ["a"], ["n"]), conv("n", "w", "y", {}, "b")],
      weights: { w: kernel([8, 4, 3, 3]), b: gauss([8]) },
    }),
  },
  {
    what: "NaN among the activations",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y", "z"],
      nodes: [createNode("Sqrt", ["x"], ["s"]), conv("s", "w", "y"), conv("x", "w", "z")],
      weights: { w: kernel([8, 4, 3, 3]) },
    }),
  },
  {
    what: "a Clip that leaves out zero",
    model: modelOf({
      opset: 17,
      inputs: image,
      outputs: ["y"],
      nodes: [conv("x", "w1", "c"), createNode("Clip", ["c", "one", "two"], ["k"]), conv("k", "w2", "y")],
      weights: { w1: kernel([8, 4, 3, 3]), w2: kernel([8, 8, 3, 3]), one: float32([], [1]), two: float32([], [2]) },
    }),
  },
  {
    what: "layers inside an If",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [3, 8]] },
      outputs: ["y"],
      nodes: [
        createNode("ReduceSum", ["x"], ["s"], { keepdims: 0 }),
        createNode("Greater", ["s", "zero"], ["c"]),
        createNode("MatMul", ["x", "w"], ["h"]),
        createNode("If", ["c"], ["y"], {
          then_branch: { graph: modelOf({ outputs: ["t"], nodes: [createNode("MatMul", ["h", "w"], ["t"])] }).graph },
          else_branch: { graph: modelOf({ outputs: ["e"], nodes: [createNode("Neg", ["h"], ["e"])] }).graph },
        }),
      ],
      weights: { w: kernel([8, 8]), zero: float32([], [0]) },
    }),
  },
  {
    what: "reshapes, slices and splits between layers",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [2, 16]] },
      outputs: ["y"],
      nodes: [
        createNode("MatMul", ["x", "w1"], ["a"]),
        createNode("Reshape", ["a", "shape"], ["r"]),
        createNode("Transpose", ["r"], ["t"], { perm: [0, 2, 1] }),
        createNode("Split", ["t", "parts"], ["p", "q"], { axis: 1 }),
        createNode("Concat", ["q", "p"], ["c"], { axis: 1 }),
        createNode("Flatten", ["c"], ["f"]),
        createNode("Gemm", ["f", "w2"], ["y"], { transB: 1 }),
      ],
      weights: { w1: kernel([16, 16]), w2: kernel([6, 16]), shape: int64([3], [2, 4, 4]), parts: int64([2], [2, 2]) },
    }),
  },
  {
    what: "a batch that must be 3",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [3, 4, 6, 6]] },
      outputs: ["y"],
      nodes: [conv("x", "w", "y")],
      weights: { w: kernel([8, 4, 3, 3]) },
    }),
  },
  {
    what: "two inputs",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [1, 16]], z: ["float32", [1, 16]] },
      outputs: ["y"],
      nodes: [
        createNode("MatMul", ["x", "w"], ["a"]),
        createNode("MatMul", ["z", "w"], ["b"]),
        createNode("Mul", ["a", "b"], ["y"]),
      ],
      weights: { w: kernel([16, 16]) },
    }),
    least: 25,
  },
  {
    what: "a product of vectors and matrices",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [16]] },
      outputs: ["y"],
      nodes: [createNode("MatMul", ["x", "w"], ["y"])],
      weights: { w: kernel([16, 8]) },
    }),
  },
  {
    what: "a batch of nothing",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [0, 16]] },
      outputs: ["y"],
      nodes: [createNode("MatMul", ["x", "w"], ["y"])],
      weights: { w: kernel([16, 8]) },
    }),
    onCodes: 0,
  },
  {
    what: "a recurrence",
    model: modelOf({
      opset: 17,
      inputs: { x: ["float32", [7, 1, 8]] },
      outputs: ["y"],
      nodes: [createNode("LSTM", ["x", "w", "r", "b"], ["y"], { hidden_size: 8 })],
      weights: { w: kernel([1, 32, 8], 1, [8]), r: kernel([1, 32, 8], 2, [8]), b: gauss([1, 64], 3, 0.1) },
    }),
    onCodes: 0,
  },
];

/** Least decibels by recipe, beside what a case allows. */
const least = { w8a8: 30, "w8a8-dynamic": 30, w8: 30, w4a16: 10, fp16: 50 };

describe.each(recipes)("%s", (recipe) => {
  test.each(cases)("$what", async ({ model, nothing, onCodes, least: own }) => {
    const samples = [1, 2, 3, 4].map((seed) => feedsFor(model, seed));
    const outcome = await attempt(quantizeGraph(model, recipe, samples));
    if (nothing?.includes(recipe) === true) {
      expect(outcome).toMatch(/^plan\/nothing-to-quantize: /);
      return;
    }
    if (typeof outcome === "string") throw new Error(outcome);
    const bound = recipe === "w4a16" ? least.w4a16 : (own ?? least[recipe]);
    expect(outcome.sqnrDb).toBeGreaterThanOrEqual(bound);
    expect(outcome.definedDb).toBeGreaterThanOrEqual(bound);
    if (recipe !== "w8a8") return;
    if (onCodes === undefined) expect(outcome.onCodes).toBeGreaterThan(0);
    else expect(outcome.onCodes).toBe(onCodes);
  });
});
