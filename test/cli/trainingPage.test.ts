/** The program of docs/training.md, run as it stands. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { onnxBytes } from "#formats/onnx/index";
import { createNode } from "#model/attributes";
import { float32 } from "#model/tensor";
import { modelOf } from "../modelBuilder";
import { type Compiled, compilePackage, finished } from "../runtimes/compiled";

const page = readFileSync(new URL("../../docs/training.md", import.meta.url), "utf8");
const random = (dims: readonly number[], seed: string) => {
  const rng = createRng(seed);
  return float32(
    dims,
    Float32Array.from({ length: dims.reduce((size, dim) => size * dim, 1) }, () => 2 * rng.uniform() - 1),
  );
};

let compiled: Compiled;
beforeAll(() => {
  compiled = compilePackage(["valibot", "onnxruntime-node", "onnxruntime-web", "onnxruntime-common", "sharp"]);
}, 120_000);
afterAll(() => compiled.remove());

test("the example of docs/training.md learns whether two signs agree", async () => {
  const model = modelOf({
    opset: 17,
    inputs: { x: ["float32", ["N", 2]] },
    outputs: ["scores"],
    weights: { w1: random([2, 16], "w1"), b1: random([16], "b1"), w2: random([16, 2], "w2") },
    nodes: [
      createNode("MatMul", ["x", "w1"], ["p"]),
      createNode("Add", ["p", "b1"], ["q"]),
      createNode("Relu", ["q"], ["h"]),
      createNode("MatMul", ["h", "w2"], ["scores"]),
    ],
  });
  const scores = { kind: "tensor", element: "float32", shape: ["N", 2] } as const;
  const outputs = [{ ...model.graph.outputs[0], type: scores }];
  writeFileSync(join(compiled.path, "xor.onnx"), await onnxBytes({ ...model, graph: { ...model.graph, outputs } }));
  const [, program] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
  const { output, code } = await finished(compiled.start(program));
  expect(code).toBe(0);
  const [before, after] = output.split("→").map(Number);
  expect(before).toBeLessThan(0.85);
  expect(after).toBeGreaterThan(0.9);
  expect(existsSync(join(compiled.path, "xor.trained.onnx"))).toBe(true);
}, 120_000);
