import { describe, test } from "vitest";
import type { AttributeInit } from "#model/attributes";
import { float64 } from "./checkGradient";
import { checkOperator } from "./checkOperator";

type Attributes = Readonly<Record<string, AttributeInit>>;
type Case = readonly [what: string, x: readonly number[], w: readonly number[], attributes?: Attributes];

const check = (op: string, x: readonly number[], w: readonly number[], attributes: Attributes): Promise<void> => {
  const filters = op === "Conv" ? w[0] : w[1] * Number(attributes.group ?? 1);
  return checkOperator(op, { x: float64(x, 1), w: float64(w, 2), b: float64([filters], 3) }, attributes);
};

describe("a convolution", () => {
  const cases: readonly Case[] = [
    ["of one axis", [2, 3, 7], [4, 3, 3], { pads: [1, 1] }],
    ["of one axis, dilated, with strides", [2, 2, 9], [3, 2, 3], { dilations: [2], strides: [2] }],
    ["of three axes", [1, 2, 3, 4, 3], [2, 2, 2, 3, 2], { pads: [0, 1, 0, 1, 1, 0], strides: [1, 2, 1] }],
    ["of a 5×3 kernel", [2, 2, 6, 5], [3, 2, 5, 3], { pads: [2, 1, 2, 1] }],
    ["of a 5×3 kernel without padding", [1, 2, 6, 5], [3, 2, 5, 3]],
    ["of stride 2 and padding 3", [1, 1, 8, 8], [2, 1, 7, 7], { strides: [2, 2], pads: [3, 3, 3, 3] }],
    ["of an even kernel", [1, 2, 5, 4], [3, 2, 2, 4], { pads: [1, 2, 0, 1] }],
    ["of 2×2 patches", [1, 2, 4, 6], [3, 2, 2, 2], { strides: [2, 2] }],
    ["of strides that leave elements over", [1, 2, 6, 8], [3, 2, 3, 3], { strides: [2, 3] }],
    ["of strides beyond the kernel", [1, 2, 7, 7], [2, 2, 1, 2], { strides: [2, 3] }],
    ["of single points", [2, 9, 3, 3], [4, 9, 1, 1]],
    ["of single points with strides", [2, 3, 5, 4], [4, 3, 1, 1], { strides: [2, 2] }],
    ["of points in padding", [1, 2, 3, 3], [2, 2, 1, 1], { pads: [1, 1, 0, 1] }],
    ["of one output per image", [3, 2, 3, 2], [4, 2, 3, 2]],
    ["of many positions", [1, 2, 6, 6], [2, 2, 3, 3], { pads: [1, 1, 1, 1] }],
    ["of many channels", [1, 9, 6, 6], [2, 9, 3, 3], { pads: [1, 1, 1, 1] }],
    ["by SAME_UPPER", [1, 2, 5, 6], [2, 2, 2, 3], { auto_pad: "SAME_UPPER", strides: [2, 2] }],
    ["by SAME_LOWER", [1, 2, 5, 6], [2, 2, 2, 3], { auto_pad: "SAME_LOWER" }],
    ["of each channel", [2, 3, 5, 5], [3, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }],
    ["of each channel with strides", [2, 3, 5, 6], [3, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1], strides: [2, 2] }],
    ["of each channel into two", [1, 3, 6, 6], [6, 1, 3, 2], { group: 3, pads: [1, 0, 1, 0] }],
    ["in groups", [2, 4, 4, 4], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }],
    ["in groups, over many positions", [1, 4, 6, 6], [4, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }],
    ["in groups, dilated", [1, 4, 7, 6], [2, 2, 3, 2], { group: 2, dilations: [2, 3], strides: [1, 2] }],
    ["dilated, with uneven padding", [1, 2, 6, 7], [3, 2, 3, 3], { dilations: [2, 2], pads: [1, 3, 2, 0] }],
    ["padded beyond its kernel", [1, 2, 3, 3], [2, 2, 2, 2], { pads: [3, 1, 0, 2] }],
  ];
  for (const [what, x, w, attributes = {}] of cases) test(what, () => check("Conv", x, w, attributes));
});

describe("a transposed convolution", () => {
  const cases: readonly Case[] = [
    ["of one axis", [2, 3, 4], [3, 2, 3], { strides: [2] }],
    ["of two axes", [1, 2, 3, 4], [2, 3, 3, 2], { pads: [1, 0, 1, 1] }],
    ["that doubles", [1, 2, 3, 3], [2, 2, 4, 4], { strides: [2, 2], pads: [1, 1, 1, 1] }],
    ["with output padding", [1, 2, 3, 3], [2, 2, 3, 3], { strides: [2, 3], output_padding: [1, 2] }],
    [
      "with output padding beyond the stride",
      [1, 2, 3, 3],
      [2, 1, 2, 2],
      { dilations: [3, 3], output_padding: [2, 1] },
    ],
    ["into a stated shape", [1, 2, 3, 3], [2, 2, 3, 3], { strides: [2, 2], output_shape: [6, 5] }],
    ["by SAME_UPPER", [1, 2, 3, 3], [2, 2, 3, 3], { strides: [2, 2], auto_pad: "SAME_UPPER" }],
    ["in groups, dilated", [1, 4, 3, 3], [4, 3, 2, 2], { group: 2, dilations: [2, 1], strides: [1, 2] }],
    ["of each channel", [2, 3, 3, 2], [3, 1, 2, 2], { group: 3, strides: [2, 2] }],
  ];
  for (const [what, x, w, attributes = {}] of cases) test(what, () => check("ConvTranspose", x, w, attributes));
});
