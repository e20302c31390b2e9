import { describe, test } from "vitest";
import type { AttributeInit } from "#model/attributes";
import { float32, int64 } from "#model/tensor";
import { float64 } from "./checkGradient";
import { checkOperator } from "./checkOperator";

type Attributes = Readonly<Record<string, AttributeInit>>;

describe("resizing", () => {
  const roi = float32([0], []);
  const empty = float32([0], []);
  const cases: readonly (readonly [what: string, x: readonly number[], scales: readonly number[], Attributes])[] = [
    ["to twice the size, nearest", [2, 2, 3, 2], [1, 1, 2, 2], { coordinate_transformation_mode: "asymmetric" }],
    ["to odd sizes, nearest", [1, 1, 5, 4], [1, 1, 0.6, 1.75], { nearest_mode: "floor" }],
    ["to twice the size, linear", [1, 2, 3, 2], [1, 1, 2, 2], { mode: "linear" }],
    [
      "to odd sizes, corners aligned",
      [1, 2, 4, 5],
      [1, 1, 1.75, 0.6],
      { mode: "linear", coordinate_transformation_mode: "align_corners" },
    ],
    ["to half the size, antialiased", [1, 1, 6, 8], [1, 1, 0.5, 0.5], { mode: "linear", antialias: 1 }],
    ["cubic", [1, 1, 4, 5], [1, 1, 1.5, 0.8], { mode: "cubic" }],
    ["of one axis", [2, 3, 4], [1, 1, 2], { mode: "linear" }],
    ["channels in the end", [1, 3, 2, 2], [1, 2, 2, 1], { mode: "linear" }],
  ];
  test.each(cases)("%s", (_, x, scales, attributes) =>
    checkOperator("Resize", { x: float64(x) }, attributes, {
      fixed: { roi, scales: float32([scales.length], scales) },
    }),
  );
  test("to stated sizes of some axes", () =>
    checkOperator(
      "Resize",
      { x: float64([1, 2, 3, 4]) },
      { mode: "linear", axes: [2, 3] },
      { fixed: { roi, empty, sizes: int64([2], [5, 3]) } },
    ));
  test("of a region that reaches beyond", () =>
    checkOperator(
      "Resize",
      { x: float64([1, 1, 4, 5]) },
      { mode: "linear", coordinate_transformation_mode: "tf_crop_and_resize", axes: [2, 3] },
      { fixed: { roi: float32([4], [0.2, -0.3, 0.9, 1.4]), empty, sizes: int64([2], [3, 6]) } },
    ));
  test("Upsample", () =>
    checkOperator(
      "Upsample",
      { x: float64([1, 2, 3, 2]) },
      { mode: "linear" },
      { opset: 9, fixed: { scales: float32([4], [1, 1, 2, 3]) } },
    ));
});

describe("padding", () => {
  const cases = [
    ["constant", [0, 1, 2, 1]],
    ["constant", [1, -1, -2, 2]],
    ["reflect", [2, 1, 1, 3]],
    ["edge", [2, 0, 3, 1]],
    ["wrap", [1, 5, 4, 0]],
    ["edge", [-1, 2, 1, -2]],
  ] as const;
  test.each(cases)("%s by %j", (mode, pads) =>
    checkOperator("Pad", { x: float64([3, 4]) }, { mode }, { fixed: { pads: int64([4], pads) } }),
  );
  test("of some axes, by a constant that has a gradient itself", () =>
    checkOperator(
      "Pad",
      { x: float64([2, 3, 2]), value: float64([]) },
      {},
      { fixed: { pads: int64([2], [2, 1]), axes: int64([1], [-2]) }, order: ["x", "pads", "value", "axes"] },
    ));
});
