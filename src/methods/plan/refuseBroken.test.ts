import { describe, expect, test } from "vitest";
import { refuseBroken } from "#methods/plan/refuseBroken";
import { recipes } from "#methods/recipes";
import { createNode } from "#model/attributes";
import { float32 } from "#model/tensor";
import { modelOf } from "../../../test/modelBuilder";

const filled = (dims: readonly number[], broken?: number): ReturnType<typeof float32> => {
  const data = new Float32Array(dims.reduce((size, dim) => size * dim, 1)).fill(0.5);
  if (broken !== undefined) data[data.length - 1] = broken;
  return float32(dims, data);
};

const model = (w: number | undefined, b: number | undefined) =>
  modelOf({
    opset: 17,
    inputs: { x: ["float32", [1, 3, 8, 8]] },
    outputs: ["y"],
    nodes: [
      createNode("Conv", ["x", "w", "b"], ["c"], {}, { name: "conv" }),
      createNode("Add", ["c", "mask"], ["y"], {}, { name: "add" }),
    ],
    weights: {
      w: filled([4, 3, 3, 3], w),
      b: filled([4], b),
      mask: filled([1, 1, 6, 6], Number.NEGATIVE_INFINITY),
    },
  });

describe("weights that are no numbers", () => {
  test.each([
    ["a weight", "w", model(Number.NaN, undefined)],
    ["a weight", "w", model(Number.POSITIVE_INFINITY, undefined)],
    ["a bias", "b", model(undefined, Number.NaN)],
  ])("are refused by name: %s %s", async (_, tensor, broken) => {
    await expect(refuseBroken(broken, recipes.w8a8)).rejects.toMatchObject({
      code: "quant/non-finite",
      at: { tensor },
    });
  });

  test("may stay in layers that stay in float", async () => {
    const keep = { match: "conv", weights: "float", activations: "float" };
    await refuseBroken(model(Number.NaN, Number.NaN), { ...recipes.w8a8, rules: [keep] });
  });

  test("are no weights where a mask is added", async () => {
    await refuseBroken(model(undefined, undefined), recipes.w8a8);
  });
});
