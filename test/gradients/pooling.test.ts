import { describe, expect, test } from "vitest";
import { differentiate } from "#grad/differentiate";
import type { AttributeInit } from "#model/attributes";
import { createNode } from "#model/attributes";
import { interpret } from "#model/interpreter";
import { float32, int64, type Tensor } from "#model/tensor";
import { modelOf } from "../modelBuilder";
import { float64 } from "./checkGradient";
import { checkOperator } from "./checkOperator";

type Attributes = Readonly<Record<string, AttributeInit>>;
type Windows = readonly (readonly [what: string, x: readonly number[], attributes: Attributes])[];

/** Neighbours differ by more than a step of the check, so that a maximum stays one. */
function distinct(dims: readonly number[]): Tensor {
  const { data } = float64(dims, 5);
  const order = [...data.keys()].sort((a, b) => Number(data[a]) - Number(data[b]));
  const ranks = new Float64Array(data.length);
  for (const [rank, at] of order.entries()) ranks[at] = rank / 8 - 1;
  return { type: "float64", dims, data: ranks };
}

const windows: Windows = [
  ["of 2×2", [2, 2, 4, 4], { kernel_shape: [2, 2], strides: [2, 2] }],
  ["that overlap", [1, 2, 5, 5], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ["that leave gaps", [1, 1, 7, 6], { kernel_shape: [2, 1], strides: [3, 2] }],
  ["with uneven padding", [1, 1, 4, 5], { kernel_shape: [3, 2], pads: [0, 1, 2, 0] }],
  ["up to the ceiling", [1, 2, 6, 5], { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }],
  ["of one axis", [2, 2, 7], { kernel_shape: [3], strides: [2], pads: [1, 1] }],
  ["of three axes", [1, 1, 3, 4, 3], { kernel_shape: [2, 2, 2], strides: [1, 2, 1], pads: [0, 0, 1, 1, 0, 0] }],
  ["by SAME_UPPER", [1, 1, 5, 4], { kernel_shape: [2, 3], strides: [2, 2], auto_pad: "SAME_UPPER" }],
];
const dilated: Windows = [
  ["dilated", [1, 1, 7, 6], { kernel_shape: [3, 2], dilations: [2, 3], strides: [1, 2], pads: [1, 0, 1, 0] }],
];

describe("maxima of windows", () => {
  for (const [what, x, attributes] of [...windows, ...dilated])
    test(what, () => checkOperator("MaxPool", { x: distinct(x) }, attributes));
  test("counted in columns", () =>
    checkOperator(
      "MaxPool",
      { x: distinct([1, 2, 4, 5]) },
      { kernel_shape: [3, 2], strides: [2, 1], storage_order: 1 },
      { outputs: ["y", "where"] },
    ));
  test("put back where they were found", () =>
    checkOperator(
      "MaxUnpool",
      { x: float64([1, 2, 2, 2]) },
      { kernel_shape: [2, 2], strides: [2, 2] },
      { fixed: { where: int64([1, 2, 2, 2], [1, 7, 8, 15, 16, 18, 29, 26]) } },
    ));
  test("of a whole plane", () => checkOperator("GlobalMaxPool", { x: distinct([2, 3, 3, 2]) }));

  test("the first of equals gets it all", async () => {
    const pool = createNode("MaxPool", ["x"], ["y"], { kernel_shape: [2], strides: [2] });
    const whole = createNode("GlobalMaxPool", ["x"], ["z"]);
    const nodes = [
      pool,
      whole,
      createNode("ReduceSum", ["y"], ["sum"], { keepdims: 0 }),
      createNode("ReduceSum", ["z"], ["top"], { keepdims: 0 }),
      createNode("Add", ["sum", "top"], ["loss"]),
    ];
    const model = modelOf({ inputs: { x: ["float32", [1, 1, 4]] }, outputs: ["loss"], nodes });
    const { model: graph, gradients } = await differentiate(model, "loss", ["x"]);
    const found = (await interpret(graph)).run({ x: float32([1, 1, 4], [1, 1, 1, 1]) });
    expect([...found[gradients[0]].data]).toEqual([2, 0, 1, 0]);
  });
});

describe("means of windows", () => {
  for (const count_include_pad of [0, 1])
    for (const [what, x, attributes] of windows)
      test(`${what}, padding counting ${count_include_pad}`, () =>
        checkOperator("AveragePool", { x: float64(x) }, { ...attributes, count_include_pad }));
  for (const [what, x, attributes] of dilated)
    test(what, () => checkOperator("AveragePool", { x: float64(x) }, attributes));
  test("of a whole plane", () => checkOperator("GlobalAveragePool", { x: float64([2, 3, 3, 2]) }));
});

describe("norms of windows", () => {
  for (const p of [1, 2, 3])
    test(`p = ${p}`, () =>
      checkOperator(
        "LpPool",
        { x: float64([1, 2, 5, 4], 1, 0.2) },
        { p, kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 0, 1] },
      ));
  test.each([1, 2, 3])("of a whole plane, p = %i", (p) =>
    checkOperator("GlobalLpPool", { x: float64([2, 2, 3, 2], 1, 0.2) }, { p }),
  );
});
