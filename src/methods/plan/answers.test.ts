import { expect, test } from "vitest";
import { answeringUnits } from "#methods/plan/answers";
import { findUnits } from "#methods/plan/units";
import { createNode } from "#model/attributes";
import { inferShapes } from "#model/shapes";
import { float32 } from "#model/tensor";
import { int8Kernel } from "#targets/int8Kernels";
import { modelOf } from "../../../test/modelBuilder";

async function answering(size: number): Promise<string[]> {
  const model = modelOf({
    inputs: { x: ["float32", [1, 1, size, size]] },
    outputs: ["scores", "map"],
    nodes: [
      createNode("Conv", ["x", "w"], ["h"]),
      createNode("AveragePool", ["h"], ["p"], { kernel_shape: [1, 1] }),
      createNode("GlobalAveragePool", ["p"], ["g"]),
      createNode("Flatten", ["g"], ["f"]),
      createNode("Softmax", ["f"], ["scores"]),
      createNode("Add", ["p", "p"], ["map"]),
    ],
    weights: { w: float32([4, 1, 1, 1], [1, 2, 3, 4]) },
  });
  const shapes = await inferShapes(model);
  const { units } = await findUnits(model, shapes, int8Kernel);
  return [...answeringUnits(model, units, shapes)].map(({ node }) => node.op);
}

test("what pools and moves scores into an answer is told, up to the layer that made them", async () => {
  expect(await answering(8)).toEqual(["Softmax", "Add", "Flatten", "GlobalAveragePool"]);
});

test("an output too large to be scores is left to costs", async () => {
  expect(await answering(256)).toEqual(["Softmax", "Flatten", "GlobalAveragePool"]);
});
