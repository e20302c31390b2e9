/** Work, energy and memory of real networks against what is published of them. */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openOnnxFile } from "#formats/onnx/onnxFile.node";
import type { Model } from "#model/model";
import { compareEnergy, modelEnergy } from "#report/energy";
import { inspect } from "#report/inspect";
import { inspectText } from "#report/inspectText";
import { compareMemory } from "#report/memory";
import { countWork } from "#report/workload";

const shared = new URL("../../../shared/models/", import.meta.url).pathname;
const files = existsSync(shared)
  ? readdirSync(shared, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".onnx"))
  : [];

async function opened<T>(file: string, use: (model: Model) => Promise<T>): Promise<T> {
  const { model, close } = await openOnnxFile(shared + file);
  try {
    return await use(model);
  } finally {
    await close();
  }
}

describe.skipIf(files.length === 0)("work of real models (../shared/models)", () => {
  // multiply-accumulates as published: papers, MLPerf Tiny, torchvision and the model zoos, all at batch 1
  test.each([
    ["imagenet/mobilenet_v2_1.0_224_tf.onnx", 300.8e6],
    ["imagenet/tf2_mobilenet_v2_1.0_224_ptq_qdq.onnx", 300.8e6],
    ["imagenet/mobilenet_v1_0.25_224.onnx", 41e6],
    ["imagenet/squeezenet1.1.onnx", 349e6],
    ["cifar10/cifar10_resnet20.onnx", 40.6e6],
    ["cifar10/cifar10_resnet56.onnx", 125.5e6],
    ["mlperf-tiny/mlperf_tiny_ic_resnet8.onnx", 12.5e6],
    ["mlperf-tiny/mlperf_tiny_ic_resnet8_int8_qdq.onnx", 12.5e6],
    ["mlperf-tiny/mlperf_tiny_kws_dscnn.onnx", 2.66e6],
  ])("%s multiplies as often as published", async (file, published) => {
    const { steps, uncounted } = await opened(file, countWork);
    expect(steps.reduce((sum, { macs, times }) => sum + macs * times, 0) / published).toBeCloseTo(1, 2);
    expect(uncounted).toEqual([]);
  });

  test("a recurrent network multiplies each weight once a frame", async () => {
    const { steps, assumed } = await opened("audio/nsnet2.onnx", (model) =>
      countWork(model, { inputShapes: { input: [1, 50, 161] } }),
    );
    expect(assumed).toEqual([]);
    // 2.69 M parameters less 6 k biases, 50 times
    expect(steps.reduce((sum, { macs }) => sum + macs, 0) / (50 * 2.681e6)).toBeCloseTo(1, 3);
  });

  const mobileNets = [
    "imagenet/mobilenet_v2_1.0_224_tf.onnx",
    "imagenet/tf2_mobilenet_v2_1.0_224_ptq_qdq.onnx",
  ] as const;

  test("int8 MobileNetV2: arithmetic 1.38 → 0.090 mJ, weights 2.24 → 0.59 mJ, three quarters saved in all", async () => {
    const [float, int8] = await Promise.all(mobileNets.map((file) => opened(file, (model) => modelEnergy(model))));
    expect(float.products).toBeCloseTo(1.38, 2);
    expect(int8.products).toBeCloseTo(0.09, 3);
    expect(float.weights).toBeCloseTo(2.23, 2);
    // field.md's 0.56 counts codes alone; here are biases, scales and zero points too
    expect(int8.weights).toBeCloseTo(0.59, 2);
    const both = await opened(mobileNets[0], (a) => opened(mobileNets[1], (b) => compareEnergy(a, b)));
    expect(both.saving).toBeGreaterThan(0.74);
    expect(both.saving).toBeLessThan(0.76);
    expect(1 - (int8.products + int8.weights) / (float.products + float.weights)).toBeGreaterThan(0.81);
    for (const { saving } of both.sensitivity) expect(saving).toBeGreaterThan(0.73);
  });

  test("every convolution of the published int8 models runs on codes", async () => {
    for (const file of files.filter((name) => name.endsWith("_qdq.onnx"))) {
      const { steps } = await opened(file, countWork);
      const float = steps.filter(({ macs, arithmetic }) => macs > 0 && arithmetic.kind === "float");
      expect(
        float.map(({ node }) => node.name),
        file,
      ).toEqual([]);
    }
  });

  test("on x64 the 25 nodes beside its residual values run in float all the same, as ONNX Runtime's profile shows", async () => {
    const { diagnostics } = await opened(mobileNets[1], (model) => inspect(model));
    expect(diagnostics.map(({ code }) => code)).toEqual(["lint/signed-activations"]);
    expect(diagnostics[0].message).toMatch(/^25 nodes beside int8 activations/);
  });

  test("int8 MobileNetV2 takes a quarter of the memory: 20.0 → 5.2 MB", async () => {
    const memory = await opened(mobileNets[0], (a) => opened(mobileNets[1], (b) => compareMemory(a, b)));
    expect(memory.floatBytes).toBe(13_956_396 + 6_021_120);
    expect(memory.floatBytes / memory.quantizedBytes).toBeGreaterThan(3.8);
  });

  test.each(files)("%s can be inspected", async (file) => {
    const found = await opened(file, (model) => inspect(model));
    expect(found.size.ledger.reduce((sum, row) => sum + row.bytes, 0)).toBe(found.file.bytes);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    const text = inspectText(found, { width: 100 });
    expect(text).toContain(`parameters `);
    for (const { statistics } of found.layers.flatMap(({ weights }) => weights)) {
      if (statistics === undefined) continue;
      expect(statistics.nonFinite).toBe(0);
      expect(statistics.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(statistics.count);
    }
  });
});
