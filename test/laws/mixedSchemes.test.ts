/** One weight, several readers, schemes of several quantizers: the file runs, and stays near the float model. */
import { afterAll, expect, test } from "vitest";
import { recipe } from "#methods/recipes";
import { createNode } from "#model/attributes";
import { ortNode } from "#runtimes/ortNode/ortNode.node";
import { modelOf } from "../modelBuilder";
import { gauss, kernel, quantizeGraph } from "./quantizedGraph";

afterAll(() => ortNode.shutdown());

const samples = Array.from({ length: 4 }, (_, i) => ({ x: gauss([1, 8, 6, 6], i + 1) }));
/** Two convolutions by one weight, a third by its own. */
const tied = modelOf({
  opset: 17,
  inputs: { x: ["float32", [1, 8, 6, 6]] },
  outputs: ["y"],
  nodes: [
    createNode("Conv", ["x", "w"], ["a"], { pads: [1, 1, 1, 1] }, { name: "first" }),
    createNode("Conv", ["a", "w"], ["b"], { pads: [1, 1, 1, 1] }, { name: "second" }),
    createNode("Conv", ["b", "v"], ["y"], {}, { name: "third" }),
  ],
  weights: { w: kernel([8, 8, 3, 3], 1), v: kernel([8, 8, 3, 3], 2) },
});

test("int8 codes of a weight are not also another scheme's: who computes in float reads floats", async () => {
  const rules = [{ match: "second", weights: "kmeans:16" }];
  const { quantized, sqnrDb, definedDb, onCodes } = await quantizeGraph(tied, { ...recipe("w8a8"), rules }, samples);
  expect(onCodes).toBeGreaterThan(0);
  const [w] = quantized.plan.weights;
  expect(w).toMatchObject({ tensor: "w", storage: "dequantize", scheme: "int8/channel" });
  expect(Math.min(sqnrDb, definedDb)).toBeGreaterThan(25);
});

test("layers in float between layers on codes take any scheme", async () => {
  const rules = [{ match: "third", weights: "nf4/group:8" }];
  const { quantized, sqnrDb, definedDb } = await quantizeGraph(tied, { ...recipe("w8a8"), rules }, samples);
  expect(quantized.plan.weights.map(({ storage }) => storage)).toEqual(["dequantize", "function"]);
  expect(quantized.plan.nodes.find(({ name }) => name === "third")?.why).toContain("no int8 kernel for nf4/group:8");
  expect(Math.min(sqnrDb, definedDb)).toBeGreaterThan(15);
});
