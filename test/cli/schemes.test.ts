/** Schemes of every quantizer at the command line: for all layers, for some, and those that cannot be. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Report } from "#node";
import { installLowbit, type Lowbit } from "./lowbit";
import { smallData, smallModel } from "./models";

let lowbit: Lowbit;
beforeAll(() => {
  lowbit = installLowbit();
  mkdirSync(lowbit.work, { recursive: true });
  writeFileSync(join(lowbit.work, "model.onnx"), smallModel());
  writeFileSync(join(lowbit.work, "data.npy"), smallData(12));
}, 60_000);
afterAll(() => lowbit.remove());

const quantize = async (...args: readonly string[]) => {
  const command = ["quantize", "model.onnx", "-o", "out.onnx", "--data", "data.npy", "--calibrate", "4", "--json"];
  const { code, stdout } = await lowbit.run([...command, "--min-agreement", "0", ...args], { cwd: lowbit.work });
  return { code, answer: JSON.parse(stdout) as Report & { error?: { code: string; message: string; hint: string } } };
};

test("--weights and --layer-weights give layers schemes of any quantizer, and inspect names them", async () => {
  const { code, answer } = await quantize("--weights", "kmeans:16", "--layer-weights", "head=nf4/group:16");
  expect(answer.error).toBeUndefined();
  expect(code).toBe(0);
  const schemes = new Map(answer.layers.map(({ name, weights }) => [name, weights]));
  // weights of fewer than 1,024 numbers stay float
  expect([schemes.get("stem"), schemes.get("body")]).toEqual(["float32", "kmeans:16"]);
  const body = answer.size.ledger.find(({ scheme }) => scheme === "kmeans:16");
  // 2,304 codes of 4 bits, 16 floats, and the sizes of two shapes
  expect(body?.bytes).toBe(1152 + 64 + 48);
  const { stdout } = await lowbit.run(["inspect", "out.onnx"], { cwd: lowbit.work });
  expect(stdout).toContain("1 weight kmeans:16 (4.39 bits each)");
  const again = await lowbit.run(["quantize", "out.onnx", "-o", "again.onnx", "--recipe", "w8"], { cwd: lowbit.work });
  expect(again.code).toBe(1);
});

test.each([
  [["--weights", "kmean:16"], "usage/scheme", "kmeans:16"],
  [["--weights", "gguf:q4_k"], "quant/scheme", "144 columns"],
  [["--recipe", "w8a8", "--activations", "kmeans:16"], "usage/scheme", "uint8/mse"],
  [["--layer-weights", "head=nonsense"], "usage/scheme", "nonsense"],
])("%s is refused, and what would work is said", async (args, error, says) => {
  const { code, answer } = await quantize(...args);
  expect(code).not.toBe(0);
  expect(answer.error?.code).toBe(error);
  expect(`${answer.error?.message} ${answer.error?.hint}`).toContain(says);
});
