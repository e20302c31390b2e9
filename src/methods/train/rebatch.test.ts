import { describe, expect, test } from "vitest";
import { rebatch } from "#methods/train/rebatch";
import { createNode } from "#model/attributes";
import { float32, int64 } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { modelOf } from "../../../test/modelBuilder";

const w = float32([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
const fixed = (target: readonly number[]) =>
  modelOf({
    inputs: { x: ["float32", [1, 2, 2]] },
    outputs: ["y"],
    values: { flat: ["float32", [1, 4]] },
    weights: { w, target: int64([target.length], target) },
    nodes: [createNode("Reshape", ["x", "target"], ["flat"]), createNode("MatMul", ["flat", "w"], ["y"])],
  });
const sample = { x: float32([1, 2, 2], [1, 0, 0, 0]) };
const three = float32([3, 2, 2], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);

describe("rebatch", () => {
  test.each([[[1, 4]], [[1, -1]], [[-1, 4]], [[0, 4]]])(
    "opens a model that is fixed at one sample, with Reshape to %j",
    async (target) => {
      const { model, inputShapes } = await rebatch(fixed(target), sample, 3);
      expect(inputShapes).toEqual({ x: [3, 2, 2] });
      const { y } = await (await createReferenceSession(model)).run({ x: three });
      expect(y).toEqual(float32([3, 2], [1, 2, 3, 4, 7, 8]));
    },
  );

  test("refuses a model whose samples meet", async () => {
    const sum = modelOf({
      inputs: { x: ["float32", ["N", 2, 2]] },
      outputs: ["y"],
      nodes: [createNode("ReduceSum", ["x"], ["y"], { keepdims: 1 })],
    });
    await expect(rebatch(sum, sample, 3)).rejects.toMatchObject({
      code: "model/shape",
      message: expect.stringContaining("output y has 1 rows for 3 samples"),
    });
  });
});
