/** A real network, its weights stored by each quantizer, as files that both stock runtimes run. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { modelInputs } from "#data/modelInputs";
import { openData } from "#data/openData.node";
import { onnxBytes } from "#formats/onnx/index";
import { openOnnxFile } from "#formats/onnx/onnxFile.node";
import { weightOnlyRecipe } from "#methods/recipes";
import type { OpenSession } from "#model/session";
import { toNumbers } from "#model/tensor";
import { quantizeFile } from "#node";
import { quantizers } from "#quant/quantizers/index";
import type { Quantizer } from "#quant/types";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { quantizeModel } from "#verbs/quantizeModel";

const shared = new URL("../../../shared/", import.meta.url).pathname;
const path = `${shared}models/cifar10/cifar10_resnet20.onnx`;
const data = `${shared}data/cifar10/test_000-465.bin`;
const { "ort-node": ortNode, "ort-web": ortWeb } = nodeRuntimes;
const runnable = existsSync(path) && (await ortNode.version()) !== undefined;

afterAll(async () => {
  await ortWeb.shutdown();
});

/** Of ggml, whose first examples are plain floats, blocks that fit some of its rows. */
const schemes = Object.values<Quantizer>(quantizers).map(({ name, examples }) =>
  name === "ggml" ? "gguf:q4_0" : examples[0],
);

describe.skipIf(!runnable)("ResNet-20 in every quantizer (../shared, onnxruntime-node)", () => {
  test.each(schemes)("%s", async (scheme) => {
    const { model, close } = await openOnnxFile(path);
    const images = await openData(data, { preprocess: "cifar", inputs: modelInputs(model) });
    const openNode: OpenSession = (each, options) =>
      ortNode.open({ model: each, bytes: () => onnxBytes(each) }, options);
    const recipe = weightOnlyRecipe(scheme);
    const quantized = await quantizeModel(model, { recipe, openSession: openNode, target: "ort-node" });
    const bytes = await onnxBytes(quantized.model);
    const { inputs } = await images.sample(7);
    const answers: Float64Array[] = [];
    for (const runtime of [ortNode, ortWeb]) {
      const session = await runtime.open({ model: quantized.model, bytes: async () => bytes });
      const [y] = Object.values(await session.run(inputs));
      answers.push(Float64Array.from(toNumbers(y)));
      await session.close();
    }
    const [node, web] = answers;
    const largest = node.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    for (let i = 0; i < node.length; i++) expect(Math.abs(web[i] - node[i])).toBeLessThan(1e-4 * largest);
    const stored = quantized.plan.weights.filter(({ storage }) => storage !== "float32");
    // ggml's blocks of 32 do not fit rows of 144
    expect(stored.length).toBeGreaterThanOrEqual(11);
    expect(bytes.length).toBeLessThan(0.5 * 1_112_767);
    await close();
  });

  test("sixteen shared values a layer keep its accuracy, in a seventh of its bytes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lowbit-test-"));
    try {
      const output = join(folder, "kmeans.onnx");
      const options = { weights: "kmeans:16", data, preprocess: "cifar", target: "ort-node", layers: false };
      const { quality, size, recipe } = await quantizeFile(path, output, options);
      expect(recipe).toMatchObject({ weights: "kmeans:16", mode: "float" });
      expect(quality?.drop).toBeLessThan(0.01);
      expect(size.ratio).toBeGreaterThan(6.5);
      const row = size.ledger.find(({ scheme }) => scheme === "kmeans:16");
      expect(row?.bitsPerWeight?.nominal).toBe(4);
      expect(row?.bitsPerWeight?.stored).toBeLessThan(4.1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
