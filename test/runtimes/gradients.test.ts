/** Gradients as ONNX Runtime computes them in float32, of all operators in one model, against the reference interpreter's. */
import { afterAll, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { onnxBytes } from "#formats/onnx/index";
import { differentiate } from "#grad/differentiate";
import { normal } from "#math/normal";
import { type AttributeInit, createNode } from "#model/attributes";
import { interpret } from "#model/interpreter";
import type { Model, Node } from "#model/model";
import { float32, int64, sizeOf, type Tensor, toNumbers } from "#model/tensor";
import { parametricGradients } from "#model/ops/gradients/parametric";
import { reduceGradients } from "#model/ops/gradients/reduce";
import { unaryGradients } from "#model/ops/gradients/unary";
import { variadicGradients } from "#model/ops/gradients/variadic";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { modelOf } from "../modelBuilder";

const runtimes = [nodeRuntimes["ort-node"], nodeRuntimes["ort-web"]] as const;
afterAll(() => Promise.all(runtimes.map((runtime) => runtime.shutdown())));

interface Case {
  readonly op: string;
  /** Shapes of what is differentiated for, values of what is not, "" for what is left out. */
  readonly inputs: readonly (readonly number[] | Tensor | "")[];
  readonly attributes?: Readonly<Record<string, AttributeInit>>;
  readonly domain?: string;
  readonly outputs?: number;
}

const square = [3, 3];
const around = [1, 1, 1, 1];
const vector = (...values: number[]): Tensor => float32([values.length], values);
const integers = (...values: number[]): Tensor => int64([values.length], values);
const number = (value: number): Tensor => float32([], [value]);
/** A logarithm of what is below 0 is NaN, and so would be the loss; the youngest operator is not known everywhere; a bias is needed. */
const elementwise = [...Object.keys(unaryGradients), ...Object.keys(parametricGradients)]
  .filter((key) => !/^(Sqrt|Log|Asin|Acos|Acosh|Atanh|Swish|com.microsoft:BiasGelu)$/.test(key))
  .map((key): Case => {
    const [domain, op] = key.includes(":") ? key.split(":") : ["", key];
    return { op, domain, inputs: [[2, 3]] };
  });
const cases: readonly Case[] = [
  ...elementwise,
  ...Object.keys(reduceGradients)
    .filter((op) => op !== "ReduceLogSum")
    .map((op): Case => ({ op, inputs: [[2, 3, 4], integers(1)] })),
  ...Object.keys(variadicGradients).map((op): Case => ({ op, inputs: [[2, 3], [3], [2, 1]] })),
  ...["Add", "Sub", "Mul", "Div"].map((op): Case => ({ op, inputs: [[2, 1], [3]] })),
  { op: "PRelu", inputs: [[2, 3], [3]] },
  {
    op: "MatMul",
    inputs: [
      [5, 2, 3],
      [3, 4],
    ],
  },
  { op: "Gemm", inputs: [[3, 2], [4, 3], [4]], attributes: { transA: 1, transB: 1, alpha: { float: 0.5 } } },
  {
    op: "FusedMatMul",
    inputs: [
      [5, 2, 3],
      [4, 3],
    ],
    attributes: { transB: 1 },
    domain: "com.microsoft",
  },
  {
    op: "Einsum",
    inputs: [
      [2, 3, 4],
      [2, 4, 2],
    ],
    attributes: { equation: "bij,bjk->bik" },
  },
  {
    op: "Einsum",
    inputs: [
      [2, 5, 2, 3],
      [2, 5, 3, 2],
    ],
    attributes: { equation: "...ij,...jk->...ik" },
  },
  { op: "Einsum", inputs: [[2, 3], [4]], attributes: { equation: "ij,k->i" } },
  { op: "Einsum", inputs: [[3], [3]], attributes: { equation: "i,i->" } },
  { op: "Reshape", inputs: [[2, 6], integers(3, -1)] },
  { op: "Flatten", inputs: [[2, 3, 2]] },
  { op: "Squeeze", inputs: [[1, 3, 1], integers(-1)] },
  { op: "Unsqueeze", inputs: [[3, 2], integers(0, 2)] },
  { op: "Transpose", inputs: [[2, 3, 4]], attributes: { perm: [2, 0, 1] } },
  { op: "Expand", inputs: [[3, 1], integers(2, 1, 4)] },
  { op: "Tile", inputs: [[2, 3], integers(2, 3)] },
  {
    op: "Concat",
    inputs: [
      [2, 1],
      [2, 3],
      [2, 2],
    ],
    attributes: { axis: 1 },
  },
  { op: "Split", inputs: [[2, 6], integers(1, 2, 3)], attributes: { axis: 1 }, outputs: 3 },
  { op: "Slice", inputs: [[5, 4], integers(1, -3), integers(4, 9)] },
  { op: "Slice", inputs: [[7, 6], integers(5, 4), integers(0, -9), integers(0, 1), integers(-2, -3)] },
  { op: "DepthToSpace", inputs: [[1, 8, 2, 3]], attributes: { blocksize: 2 } },
  { op: "DepthToSpace", inputs: [[1, 8, 2, 3]], attributes: { blocksize: 2, mode: "CRD" } },
  { op: "SpaceToDepth", inputs: [[1, 2, 4, 6]], attributes: { blocksize: 2 } },
  { op: "CumSum", inputs: [[2, 4], int64([], [1])], attributes: { exclusive: 1 } },
  { op: "Trilu", inputs: [[3, 4], int64([], [1])], attributes: { upper: 0 } },
  { op: "Gather", inputs: [[4, 3], int64([2, 2], [1, 3, 1, -1])] },
  { op: "Gather", inputs: [[2, 3, 4], int64([3], [1, -4, 1])], attributes: { axis: -1 } },
  { op: "Gather", inputs: [[2, 4, 3], int64([], [-2])], attributes: { axis: 1 } },
  { op: "GatherElements", inputs: [[2, 3], int64([2, 4], [0, 0, 2, -1, 1, 1, 1, 0])], attributes: { axis: 1 } },
  { op: "GatherND", inputs: [[2, 3, 2], int64([2, 2, 1], [0, 2, 1, 1])], attributes: { batch_dims: 1 } },
  { op: "TopK", inputs: [[3, 5], integers(2)], attributes: { axis: 1 }, outputs: 2 },
  { op: "ScatterElements", inputs: [[2, 3], int64([2, 2], [2, 0, 1, -1]), [2, 2]], attributes: { axis: 1 } },
  { op: "ScatterND", inputs: [[4, 3], int64([2, 1], [3, 1]), [2, 3]], attributes: { reduction: "add" } },
  { op: "Softmax", inputs: [[2, 3, 4]], attributes: { axis: 1 } },
  { op: "LogSoftmax", inputs: [[2, 3, 4]] },
  { op: "Where", inputs: [{ type: "bool", dims: [3], data: Uint8Array.of(1, 0, 1) }, [2, 3], [2, 1]] },
  { op: "Clip", inputs: [[3, 4], number(-0.5), number(0.5)] },
  { op: "Dropout", inputs: [[2, 3]] },
  { op: "BiasGelu", inputs: [[2, 3], [3]], domain: "com.microsoft" },
  { op: "FastGelu", inputs: [[2, 3], [3]], domain: "com.microsoft" },
  { op: "Conv", inputs: [[2, 16, 8, 8], [8, 16, 3, 3], [8]], attributes: { pads: around } },
  { op: "Conv", inputs: [[2, 3, 9, 9], [4, 3, 3, 3], [4]], attributes: { pads: around, strides: [2, 2] } },
  {
    op: "Conv",
    inputs: [
      [2, 8, 6, 6],
      [8, 1, 3, 3],
    ],
    attributes: { pads: around, group: 8 },
  },
  {
    op: "Conv",
    inputs: [
      [2, 8, 6, 6],
      [8, 1, 3, 3],
    ],
    attributes: { pads: around, group: 8, strides: [2, 2] },
  },
  {
    op: "Conv",
    inputs: [
      [2, 8, 7, 6],
      [4, 4, 3, 2],
    ],
    attributes: { group: 2, dilations: [2, 1], pads: [1, 0, 3, 1] },
  },
  {
    op: "Conv",
    inputs: [
      [2, 16, 6, 6],
      [8, 16, 1, 1],
    ],
    attributes: { strides: [2, 2] },
  },
  {
    op: "Conv",
    inputs: [
      [2, 4, 9],
      [3, 4, 4],
    ],
    attributes: { strides: [2], pads: [1, 2] },
  },
  {
    op: "Conv",
    inputs: [
      [1, 2, 4, 5, 4],
      [2, 2, 2, 3, 3],
    ],
    attributes: { pads: [0, 1, 1, 1, 1, 1] },
  },
  { op: "ConvTranspose", inputs: [[2, 4, 3, 3], [4, 3, 4, 4], [3]], attributes: { strides: [2, 2], pads: around } },
  {
    op: "ConvTranspose",
    inputs: [
      [1, 4, 3, 3],
      [4, 2, 3, 3],
    ],
    attributes: { strides: [2, 3], output_padding: [1, 2], group: 2 },
  },
  { op: "MaxPool", inputs: [[2, 3, 8, 8]], attributes: { kernel_shape: square, strides: [2, 2], pads: around } },
  { op: "MaxPool", inputs: [[2, 2, 7, 7]], attributes: { kernel_shape: [2, 2], dilations: [2, 3] } },
  { op: "AveragePool", inputs: [[2, 3, 8, 7]], attributes: { kernel_shape: square, strides: [2, 2], pads: around } },
  { op: "GlobalAveragePool", inputs: [[2, 3, 4, 5]] },
  { op: "GlobalMaxPool", inputs: [[2, 3, 4, 5]] },
  { op: "LpPool", inputs: [[2, 3, 4, 5]], attributes: { kernel_shape: [2, 2], strides: [1, 2] } },
  {
    op: "BatchNormalization",
    inputs: [[4, 3, 5, 5], [3], [3], vector(0, 0, 0), vector(1, 1, 1)],
    attributes: { training_mode: 1 },
    outputs: 3,
  },
  { op: "BatchNormalization", inputs: [[4, 3, 5, 5], [3], [3], vector(0, 0.5, -1), vector(1, 2, 0.5)] },
  { op: "LayerNormalization", inputs: [[2, 5, 8], [8], [8]] },
  { op: "InstanceNormalization", inputs: [[2, 3, 4, 4], [3], [3]] },
  { op: "GroupNormalization", inputs: [[2, 4, 3, 3], [4], [4]], attributes: { num_groups: 2 } },
  { op: "SkipLayerNormalization", inputs: [[2, 5, 8], [2, 5, 8], [8], [8], [8]], domain: "com.microsoft" },
  { op: "SkipSimplifiedLayerNormalization", inputs: [[2, 5, 8], [2, 5, 8], [8]], domain: "com.microsoft" },
  { op: "LRN", inputs: [[2, 6, 3, 3]], attributes: { size: 3, alpha: { float: 0.5 } } },
  { op: "LpNormalization", inputs: [[2, 5, 3]], attributes: { axis: 1 } },
  { op: "Resize", inputs: [[1, 2, 4, 5], "", vector(1, 1, 2, 1.6)], attributes: { mode: "linear" } },
  { op: "Resize", inputs: [[1, 2, 4, 5], "", vector(1, 1, 2, 2)], attributes: { mode: "nearest" } },
  { op: "Pad", inputs: [[2, 3, 4], int64([6], [0, 1, 2, 0, -1, 1])] },
  { op: "Pad", inputs: [[2, 3, 4], int64([6], [0, 1, 2, 0, 1, 1])], attributes: { mode: "reflect" } },
];

/** One model of all cases, and what it computes by definition. */
async function together() {
  const rng = createRng(7);
  const nodes: Node[] = [];
  const feeds: Record<string, Tensor> = {};
  const weights: Record<string, Tensor> = { roi: float32([0], []) };
  cases.forEach(({ op, inputs, attributes = {}, domain, outputs = 1 }, i) => {
    const names = inputs.map((each, k) => {
      if (each === "") return op === "Resize" ? "roi" : "";
      const name = `in${i}_${k}`;
      if ("dims" in each) weights[name] = each;
      else
        feeds[name] = float32(
          each,
          Float32Array.from({ length: sizeOf(each) }, () => normal(rng)),
        );
      return name;
    });
    const made = Array.from({ length: outputs }, (_, k) => `out${i}_${k}`);
    nodes.push(createNode(op, names, made, attributes, domain === undefined ? {} : { domain }));
    nodes.push(createNode("Sin", [made[0]], [`bent${i}`]));
    nodes.push(createNode("ReduceSum", [`bent${i}`], [`sum${i}`], { keepdims: 0 }));
  });
  nodes.push(
    createNode(
      "Sum",
      [...cases.keys()].map((i) => `sum${i}`),
      ["loss"],
    ),
  );
  const built = modelOf({
    inputs: Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, ["float32", [...dims]]])),
    outputs: ["loss"],
    nodes,
    weights,
  });
  const original: Model = { ...built, opsets: new Map([...built.opsets, ["com.microsoft", 1]]) };
  const { model, gradients } = await differentiate(original, "loss", Object.keys(feeds));
  const expected = (await interpret(model)).run(feeds);
  return { model, gradients, feeds, expected };
}

const prepared = together();

test.each(runtimes)("$name computes the gradients that the definitions lead to", async (runtime) => {
  const { model, gradients, feeds, expected } = await prepared;
  const session = await runtime.open({ model, bytes: () => onnxBytes(model) });
  const found = await session.run(feeds);
  await session.close();
  for (const [k, name] of Object.keys(feeds).entries()) {
    const [stated, right] = [found, expected].map((values) => toNumbers(values[gradients[k]]));
    const scale = Math.hypot(...right) / Math.sqrt(right.length) || 1; // steps have none
    const error = Math.max(...right.map((value, i) => Math.abs(value - stated[i]))) / scale;
    expect(error, `${cases[Number(/\d+/.exec(name))].op} ${name}`).toBeLessThan(1e-4);
  }
});

test.each(runtimes)(
  "$name drops the same elements from the gradient as from the value, in training",
  async (runtime) => {
    const yes: Tensor = { type: "bool", dims: [], data: Uint8Array.of(1) };
    const built = modelOf({
      inputs: { x: ["float32", [64]] },
      outputs: ["y"],
      nodes: [
        createNode("Dropout", ["x", "ratio", "training"], ["y"], { seed: 3 }),
        createNode("ReduceSum", ["y"], ["loss"], { keepdims: 0 }),
      ],
      weights: { ratio: float32([], [0.25]), training: yes },
    });
    const { model, gradients } = await differentiate(built, "loss", ["x"]);
    const session = await runtime.open({ model, bytes: () => onnxBytes(model) });
    const found = await session.run({ x: float32([64], new Float32Array(64).fill(1)) });
    await session.close();
    const y = toNumbers(found.y);
    expect(new Set(y)).toEqual(new Set([0, Math.fround(4 / 3)]));
    expect(toNumbers(found[gradients[0]])).toEqual(y);
  },
);
