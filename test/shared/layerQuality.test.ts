/** Layers of real networks against their quantized forms, in ONNX Runtime. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { modelInputs } from "#data/modelInputs";
import { openData } from "#data/openData.node";
import { onnxBytes } from "#formats/onnx/index";
import { openOnnxFile } from "#formats/onnx/onnxFile.node";
import { recipe } from "#methods/recipes";
import type { Model } from "#model/model";
import type { OpenSession } from "#model/session";
import { explainLayers } from "#report/causes";
import { evaluate } from "#report/evaluate";
import { layerQuality } from "#report/layerQuality";
import { ledgerOf } from "#report/sizeLedger";
import { ortNode } from "#runtimes/ortNode/ortNode.node";
import { quantizeModel } from "#verbs/quantizeModel";

const shared = new URL("../../../shared/", import.meta.url).pathname;
const runnable = (await ortNode.version()) !== undefined;
const openSession: OpenSession = (model: Model, options) =>
  ortNode.open({ model, bytes: () => onnxBytes(model) }, options);

describe.skipIf(!existsSync(shared) || !runnable)("layer quality of real models (../shared, onnxruntime-node)", () => {
  test("MobileNetV2 in int8: what the last layer keeps is what evaluation finds, and the causes name flags", async () => {
    const { model, close } = await openOnnxFile(`${shared}models/imagenet/mobilenet_v2_1.0_224_tf.onnx`);
    const images = await openData(`${shared}data/imagenet`, { preprocess: "imagenet-tf", inputs: modelInputs(model) });
    const spread = (count: number, shift: number) => (i: number) =>
      images.sample(Math.floor((i * images.length) / count) + shift);
    const calibration = { name: "imagenet", length: 8, feeds: async (i: number) => (await spread(8, 0)(i)).inputs };
    const quantized = await quantizeModel(model, {
      recipe: recipe("w8a8"),
      openSession,
      target: "ort-node",
      calibration,
    });
    const data = { name: "imagenet", length: 4, sample: spread(4, 1) };
    const found = await layerQuality(model, quantized.model, data, { openSession });
    expect(found.diagnostics).toEqual([]);
    // of 53 convolutions all have their place, and each of their trials gave a number
    expect(found.layers.size).toBe(53);
    for (const { weightsDb, node } of found.layers.values()) expect(weightsDb, node).toBeGreaterThan(25);
    const [float, int8] = [await openSession(model), await openSession(quantized.model)];
    const { quality } = await evaluate({ float, quantized: int8 }, data);
    await Promise.all([float.close(), int8.close()]);
    expect(found.values.get("prob")?.sqnrDb).toBeCloseTo(quality.logitSqnrDb, 1);
    const causes = explainLayers(found, ({ node }) => ({ name: node }));
    for (const { fix } of causes.values()) expect(fix).toMatch(/--(keep|weights|activations|calibrate)|mend .+ first/);
    const size = await ledgerOf(
      { model, bytes: 13_983_409 },
      { model: quantized.model, bytes: (await onnxBytes(quantized.model)).length },
    );
    expect(size.ledger.reduce((sum, row) => sum + row.floatBytes, 0)).toBe(13_983_409);
    expect(
      size.ledger.slice(0, -1).every(({ tensor }) => model.graph.initializers.has(tensor) || tensor.includes("_")),
    ).toBe(true);
    await close();
  }, 120_000);

  test("Google's own int8 MobileNetV2 has other names: that is told", async () => {
    const [a, b] = await Promise.all([
      openOnnxFile(`${shared}models/imagenet/mobilenet_v2_1.0_224_tf.onnx`),
      openOnnxFile(`${shared}models/imagenet/tf2_mobilenet_v2_1.0_224_ptq_qdq.onnx`),
    ]);
    const data = { name: "none", length: 1, sample: () => Promise.reject(new Error("nothing should be run")) };
    const found = await layerQuality(a.model, b.model, data, { openSession });
    expect(found.values.size).toBe(0);
    expect(found.diagnostics).toMatchObject([
      { code: "report/layers", message: expect.stringContaining("no value of the float model has its name") },
    ]);
    await Promise.all([a.close(), b.close()]);
  });
});
