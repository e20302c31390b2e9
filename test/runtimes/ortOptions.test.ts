import { expect, test } from "vitest";
import { weight } from "#model/weights";
import { float32, tensor } from "#model/tensor";
import { defaultMemoryBytes, ortOptions } from "#runtimes/ort/ortOptions";
import { runnable } from "./runnable";

test("one thread that does not spin, unless more are asked for (P7)", () => {
  const options = ortOptions({}, "cpu");
  expect(options).toMatchObject({ intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: "all" });
  expect(options.extra).toMatchObject({ session: { intra_op: { allow_spinning: "0" } } });
  expect(ortOptions({ threads: 4 }, "cpu")).toMatchObject({ intraOpNumThreads: 4 });
});

test("all is what is deployed: nothing is switched off", () => {
  expect(JSON.stringify(ortOptions({ optimize: "all" }, "wasm"))).not.toContain("disable");
});

test("weights count as float32 in the memory that a model may occupy", () => {
  const packed = tensor("int4", [1000, 1000], new Int8Array(1e6));
  const plain = float32([1000], new Float32Array(1000));
  const weights = new Map([packed, plain].map((value, i) => [`w${i}`, weight(`w${i}`, value)]));
  const { model } = runnable(new Uint8Array(0), "m.onnx", weights);
  expect(defaultMemoryBytes(model)).toBe(3 * (4e6 + 4e3) + 1.5e9);
});
