/** lowbit finetune as people run it: a small classifier, data as arrays, ONNX Runtime. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { onnxBytes } from "#formats/onnx/index";
import { createNode } from "#model/attributes";
import { float32 } from "#model/tensor";
import { modelOf } from "../modelBuilder";
import { installLowbit, type Lowbit } from "./lowbit";

let lowbit: Lowbit;
beforeAll(() => {
  lowbit = installLowbit();
}, 120_000);
afterAll(() => lowbit.remove());

const random = (dims: readonly number[], seed: string) => {
  const rng = createRng(seed);
  const size = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Float32Array.from({ length: size }, () => rng.uniform() - 0.5),
  );
};

/** 8×8 images, of which one half is brighter: which one? A file that is fixed at one image. */
const model = modelOf({
  opset: 17,
  inputs: { image: ["float32", [1, 1, 8, 8]] },
  outputs: ["scores"],
  weights: {
    kernel: random([4, 1, 3, 3], "kernel"),
    scale: float32([4], [1, 1, 1, 1]),
    shift: float32([4], [0, 0, 0, 0]),
    mean: float32([4], [0, 0, 0, 0]),
    variance: float32([4], [1, 1, 1, 1]),
    w: random([2, 256], "w"),
    b: float32([2], [0, 0]),
  },
  nodes: [
    createNode("Conv", ["image", "kernel"], ["c"], { pads: [1, 1, 1, 1] }),
    createNode("BatchNormalization", ["c", "scale", "shift", "mean", "variance"], ["n"]),
    createNode("Relu", ["n"], ["r"]),
    createNode("Flatten", ["r"], ["f"]),
    createNode("Gemm", ["f", "w", "b"], ["scores"], { transB: 1 }),
  ],
});

/** MNIST's idx format. */
function idx(dims: readonly number[], values: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.writeUInt32BE(0x0800 | dims.length, 0);
  dims.forEach((dim, i) => header.writeUInt32BE(dim, 4 + 4 * i));
  return Buffer.concat([header, values]);
}

const count = 200;
beforeEach(async () => {
  lowbit.clear();
  mkdirSync(lowbit.work);
  const named = {
    ...model,
    graph: {
      ...model.graph,
      outputs: [{ ...model.graph.outputs[0], type: { kind: "tensor", element: "float32", shape: [1, 2] } as const }],
    },
  };
  writeFileSync(join(lowbit.work, "halves.onnx"), await onnxBytes(named));
  const rng = createRng(7);
  const labels = Uint8Array.from({ length: count }, () => rng.below(2));
  const images = Uint8Array.from({ length: count * 64 }, (_, i) => {
    const right = i % 8 >= 4 ? 1 : 0;
    return rng.below(160) + (right === labels[Math.floor(i / 64)] ? 60 : 0);
  });
  writeFileSync(join(lowbit.work, "train-images-idx3-ubyte"), idx([count, 8, 8], images));
  writeFileSync(join(lowbit.work, "train-labels-idx1-ubyte"), idx([count], labels));
});

const base = [
  "finetune",
  "halves.onnx",
  "--data",
  "train-images-idx3-ubyte",
  "--preprocess",
  "unit",
  "--batch",
  "16",
  "--epochs",
  "6",
];
const run = (...more: string[]) => lowbit.run([...base, ...more], { cwd: lowbit.work });

describe("lowbit finetune", () => {
  test.each(["frozen", "batch"])(
    "learns, with %s normalization, and writes a model of the same graph",
    async (kind) => {
      const { code, stdout, stderr } = await run("--json", "--normalization", kind, "--target", "ort-node");
      expect(stderr).toBe("");
      expect(code).toBe(0);
      const report = JSON.parse(stdout) as {
        before: { accuracy: number };
        after: { accuracy: number; loss: number };
        curve: unknown[];
        runtime: string;
      };
      expect(report.runtime).toMatch(/^ort-node/);
      expect(report.curve).toHaveLength(6);
      expect(report.before.accuracy).toBeLessThan(0.8);
      expect(report.after.accuracy).toBeGreaterThan(0.9);
      expect(existsSync(join(lowbit.work, "halves.finetuned.onnx"))).toBe(true);
      expect(existsSync(join(lowbit.work, "halves.finetuned.onnx.checkpoint"))).toBe(false);
      const judged = await lowbit.run(
        ["evaluate", "halves.finetuned.onnx", "--data", "train-images-idx3-ubyte", "--preprocess", "unit", "--json"],
        { cwd: lowbit.work },
      );
      expect((JSON.parse(judged.stdout) as { quality: { quantized: number } }).quality.quantized).toBeGreaterThan(0.9);
    },
  );

  test("that was killed resumes and writes the bytes of one that was not", async () => {
    expect((await run("-q", "-o", "whole.onnx", "--epochs", "12")).code).toBe(0);
    const child = lowbit.start([...base, "-q", "-o", "halves2.onnx", "--epochs", "12"], { cwd: lowbit.work });
    const checkpoint = join(lowbit.work, "halves2.onnx.checkpoint");
    const ended = new Promise((resolve) => child.once("close", resolve));
    while (!existsSync(checkpoint) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGKILL");
    await ended;
    expect(existsSync(checkpoint)).toBe(true);
    const { code, stderr } = await run("-q", "-o", "halves2.onnx", "--epochs", "12", "--resume");
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const [whole, resumed] = ["whole.onnx", "halves2.onnx"].map((name) => readFileSync(join(lowbit.work, name)));
    expect(resumed.equals(whole)).toBe(true);
  }, 120_000);

  test("shows the learning curve and the next command", async () => {
    const { code, stdout } = await run("-q", "--epochs", "2", "--optimizer", "adam", "--schedule", "step:1:0.5");
    expect(code).toBe(0);
    expect(stdout).toMatch(/right on 20 held-out samples/);
    expect(stdout).toMatch(/^ +1 +0\.00100 /m);
    expect(stdout).toMatch(/^ +2 +0\.000500 .*← kept$/m);
    expect(stdout).toMatch(/lowbit quantize halves\.finetuned\.onnx/);
  });

  test.each([
    [["--resume"], "io/not-found", 4],
    [["--schedule", "sawtooth"], "usage/argument", 2],
    [["--lr", "1e9", "--epochs", "3"], "train/diverged", 1],
    [["--loss", "distillation"], "train/no-target", 1],
    [["-o", "halves.onnx"], "usage/same-file", 2],
  ])("%j is refused with %s", async (more, code, exitCode) => {
    const finished = await run("--json", ...more);
    expect((JSON.parse(finished.stdout) as { error: { code: string } }).error.code).toBe(code);
    expect(finished.code).toBe(exitCode);
  });

  test("without labels asks for a teacher, and learns from one", async () => {
    const { rmSync, copyFileSync } = await import("node:fs");
    expect((await run("-q")).code).toBe(0);
    copyFileSync(join(lowbit.work, "halves.finetuned.onnx"), join(lowbit.work, "teacher.onnx"));
    rmSync(join(lowbit.work, "train-labels-idx1-ubyte"));
    const refused = await run("--json");
    expect((JSON.parse(refused.stdout) as { error: { code: string } }).error.code).toBe("train/no-target");
    const { stdout, code } = await run("--json", "--teacher", "teacher.onnx");
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as {
      before: { accuracy: number };
      after: { accuracy: number };
      settings: { loss: string };
    };
    expect(report.settings.loss).toBe("distillation");
    expect(report.after.accuracy).toBeGreaterThan(Math.max(0.8, report.before.accuracy));
  }, 60_000);
});
