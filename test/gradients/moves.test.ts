import { describe, test } from "vitest";
import { type AttributeInit, createNode } from "#model/attributes";
import { int64, type Tensor } from "#model/tensor";
import { checkGradient, float64 } from "./checkGradient";

const integers = (...values: number[]): Tensor => int64([values.length], values);
const scalar = (value: number): Tensor => int64([], [value]);

type Case = readonly [
  name: string,
  op: string,
  shapes: readonly (readonly number[])[],
  fixed: readonly Tensor[],
  dims: readonly number[],
  attributes?: Readonly<Record<string, AttributeInit>>,
];

const cases: readonly Case[] = [
  ["Reshape", "Reshape", [[2, 6]], [integers(3, -1)], [3, 4]],
  ["Flatten", "Flatten", [[2, 3, 2]], [], [2, 6]],
  ["Squeeze of all axes", "Squeeze", [[1, 3, 1]], [], [3]],
  ["Squeeze", "Squeeze", [[1, 3, 1]], [integers(-1)], [1, 3]],
  ["Unsqueeze", "Unsqueeze", [[3, 2]], [integers(0, 2)], [1, 3, 1, 2]],
  ["Transpose that turns around", "Transpose", [[2, 3, 4]], [], [4, 3, 2]],
  ["Transpose", "Transpose", [[2, 3, 4]], [], [4, 2, 3], { perm: [2, 0, 1] }],
  ["Expand", "Expand", [[3, 1]], [integers(2, 1, 4)], [2, 3, 4]],
  ["Tile", "Tile", [[2, 3]], [integers(2, 3)], [4, 9]],
  [
    "Concat",
    "Concat",
    [
      [2, 1],
      [2, 3],
      [2, 2],
    ],
    [],
    [2, 6],
    { axis: -1 },
  ],
  ["Slice", "Slice", [[5, 4]], [integers(1, -3), integers(4, 9)], [3, 3]],
  ["Slice of one axis", "Slice", [[3, 5]], [integers(1), integers(3), integers(-1)], [3, 2]],
  ["Slice in steps", "Slice", [[8, 3]], [integers(1), integers(8), integers(0), integers(3)], [3, 3]],
  ["Slice in steps beyond the end", "Slice", [[3, 8]], [integers(2), integers(99), integers(1), integers(5)], [3, 2]],
  ["Slice backwards", "Slice", [[2, 4]], [integers(-1), integers(-99), integers(1), integers(-1)], [2, 4]],
  [
    "Slice backwards in steps on two axes",
    "Slice",
    [[7, 6]],
    [integers(5, 4), integers(0, -9), integers(0, 1), integers(-2, -3)],
    [3, 2],
  ],
  ["Slice of nothing", "Slice", [[4]], [integers(3), integers(1)], [0]],
  ["DepthToSpace, depth last", "DepthToSpace", [[1, 8, 2, 3]], [], [1, 2, 4, 6], { blocksize: 2 }],
  ["DepthToSpace, depth first", "DepthToSpace", [[1, 8, 2, 3]], [], [1, 2, 4, 6], { blocksize: 2, mode: "CRD" }],
  ["SpaceToDepth", "SpaceToDepth", [[1, 2, 4, 6]], [], [1, 8, 2, 3], { blocksize: 2 }],
  ["CumSum", "CumSum", [[2, 4]], [scalar(1)], [2, 4]],
  ["CumSum, exclusive", "CumSum", [[4, 2]], [scalar(0)], [4, 2], { exclusive: 1 }],
  ["CumSum from the end", "CumSum", [[2, 4]], [scalar(-1)], [2, 4], { reverse: 1 }],
  ["Trilu, upper", "Trilu", [[3, 4]], [], [3, 4]],
  ["Trilu, lower, another diagonal", "Trilu", [[2, 3, 4]], [scalar(1)], [2, 3, 4], { upper: 0 }],
];

describe("what was moved comes back, what was copied is summed up", () => {
  test.each(cases.map((each) => [each[0], each] as const))("%s", (_, [, op, shapes, fixed, dims, attributes = {}]) => {
    const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, float64(shape, i + 1)]));
    const weights = Object.fromEntries(fixed.map((value, i) => [`w${i}`, value]));
    const node = createNode(op, [...Object.keys(inputs), ...Object.keys(weights)], ["y"], attributes);
    return checkGradient({ nodes: [node], output: "y", inputs, weights, dims });
  });

  test("Split, with a part that nothing reads", () =>
    checkGradient({
      nodes: [
        createNode("Split", ["x", "lengths"], ["a", "b", "c"], { axis: 1 }),
        createNode("Concat", ["c", "a"], ["y"], { axis: 1 }),
      ],
      output: "y",
      inputs: { x: float64([2, 6]) },
      weights: { lengths: integers(1, 2, 3) },
      dims: [2, 4],
    }));

  test("where shapes are computed of the value itself, as exporters write them", () =>
    checkGradient({
      nodes: [
        createNode("Shape", ["x"], ["shape"]),
        createNode("Gather", ["shape", "zero"], ["rows"], { axis: 0 }),
        createNode("Concat", ["rows", "rest"], ["target"], { axis: 0 }),
        createNode("Reshape", ["x", "target"], ["flat"]),
        createNode("Slice", ["flat", "zero", "rows", "one"], ["y"]),
      ],
      output: "y",
      inputs: { x: float64([2, 3, 2]) },
      weights: { zero: integers(0), one: integers(1), rest: integers(-1) },
      dims: [2, 2],
    }));
});
