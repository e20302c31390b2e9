/** Real models, none of them written by us, taken apart to the last byte. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openOnnxFile } from "#formats/onnx/onnxFile.node";
import { inferShapes } from "#model/shapes";
import { sizeOf } from "#model/tensor";
import { constantGroups } from "#report/constantGroups";
import { findConstants } from "#report/graph/constants";
import { sizeLedger } from "#report/sizeLedger";

const shared = new URL("../../../shared/models/", import.meta.url).pathname;
const files = existsSync(shared)
  ? readdirSync(shared, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".onnx"))
  : [];

describe.skipIf(files.length === 0)("the size ledger of real models (../shared/models)", () => {
  test.each(files)("%s: the rows add up to the file, and every stored tensor is in one", async (file) => {
    const { model, close } = await openOnnxFile(shared + file);
    const { rows, entropyCodedBytes } = await sizeLedger(model, statSync(shared + file).size);
    expect(rows.reduce((sum, row) => sum + row.bytes, 0)).toBe(statSync(shared + file).size);
    expect(rows.at(-1)?.tensor).toBe("structure");
    expect(entropyCodedBytes).toBeLessThanOrEqual(statSync(shared + file).size);
    for (const row of rows) {
      expect(row.bytes, row.tensor).toBeGreaterThan(0);
      expect(row.entropyCodedBytes, row.tensor).toBeLessThanOrEqual(row.bytes);
    }
    const members = constantGroups(model, await inferShapes(model)).flatMap((group) => group.members);
    await close();
    expect(members.length).toBe(new Set(members).size);
    expect(members.length).toBe(findConstants(model).stored.length);
  });

  test("Google's int8 MobileNetV2 has an int8 weight and an int32 bias for each of its 53 convolutions", async () => {
    const file = `${shared}imagenet/tf2_mobilenet_v2_1.0_224_ptq_qdq.onnx`;
    const { model, close } = await openOnnxFile(file);
    const { rows } = await sizeLedger(model, statSync(file).size);
    await close();
    const weights = rows.filter(({ scheme }) => scheme === "int8/channel");
    expect(weights.length).toBe(53);
    expect(rows.filter(({ scheme }) => scheme === "int32/channel").length).toBe(53);
    expect(weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(3_471_040);
    expect(weights.every(({ tensor }) => /^\d+_(depthwise_)?conv_2d\.weight$/.test(tensor))).toBe(true);
  });

  test("the MNIST network that an old ONNX Runtime quantized dynamically has its three weights, scales joined", async () => {
    const file = `${shared}zoo/mnist_dynamic_quant_op11.onnx`;
    const { model, close } = await openOnnxFile(file);
    const { rows } = await sizeLedger(model, statSync(file).size);
    await close();
    expect(rows.slice(0, 3).map(({ tensor, scheme, shape, bytes }) => [tensor, scheme, shape, bytes])).toEqual([
      ["Parameter87", "uint8/tensor", [16, 8, 5, 5], 3205],
      ["Parameter193_reshape1", "uint8/tensor", [256, 10], 2565],
      ["Parameter5", "uint8/tensor", [8, 1, 5, 5], 205],
    ]);
  });
});
