/** Weights that functions of our own files decode are told, counted and decoded like any others. */
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { onnxBytes } from "#formats/onnx/index";
import { normal } from "#math/normal";
import { makePlan } from "#methods/plan/makePlan";
import { prepare } from "#methods/prepare";
import { quantize } from "#methods/quantize/quantize";
import { weightOnlyRecipe } from "#methods/recipes";
import { createNode } from "#model/attributes";
import type { Model } from "#model/model";
import { inferShapes } from "#model/shapes";
import { float32 } from "#model/tensor";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix } from "#quant/quantizers/index";
import { storedBits } from "#quant/storedBits";
import { constantGroups } from "#report/constantGroups";
import { decodedWeight } from "#report/decodedWeight";
import { inspect } from "#report/inspect";
import { sizeLedger } from "#report/sizeLedger";
import { modelOf } from "../../test/modelBuilder";

const rng = createRng(3);
const values = Float32Array.from({ length: 64 * 96 }, () => normal(rng));
/** [in, out]: what quantizers see is its transpose. */
const float = modelOf({
  opset: 17,
  inputs: { x: ["float32", [1, 64]] },
  outputs: ["y"],
  nodes: [createNode("MatMul", ["x", "w"], ["y"])],
  weights: { w: float32([64, 96], values) },
});

async function stored(scheme: string): Promise<Model> {
  const prepared = await prepare(float, 13);
  const target = { name: "test", kernelOf: () => undefined };
  return quantize(prepared, await makePlan(prepared, weightOnlyRecipe(scheme), { target, seed: 0 }), target);
}

const matrix = { values: new Float32Array(values.length), rows: 96, columns: 64 };
for (let i = 0; i < 64; i++) for (let o = 0; o < 96; o++) matrix.values[o * 64 + i] = values[i * 96 + o];

describe.each([
  ["kmeans:8", 3],
  ["kmeans:16/channel", 4],
  ["nf4/group:32", 4],
  ["vsq:3/scale:6", 3],
  ["gguf:q4_0", 4],
])("%s", (scheme, nominal) => {
  const q = quantizeMatrix(matrix, scheme, { rng: createRng(0) });

  test("the ledger counts its bytes under its scheme", async () => {
    const model = await stored(scheme);
    const bytes = (await onnxBytes(model)).length;
    const { rows } = await sizeLedger(model, bytes);
    const row = rows.find(({ tensor }) => tensor === "w");
    expect(row).toMatchObject({ scheme, shape: [64, 96], floatBytes: 4 * 64 * 96 });
    expect(rows.reduce((sum, each) => sum + each.bytes, 0)).toBe(bytes);
    // beside codes, scales and tables there are only sizes, of 8 bytes each
    const beside = (row?.bytes ?? 0) - storedBits(q).total / 8;
    expect(beside).toBeGreaterThanOrEqual(0);
    expect(beside).toBeLessThanOrEqual(64);
    expect(row?.bitsPerWeight?.nominal).toBe(nominal);
    expect(row?.bitsPerWeight?.stored).toBe((row?.bytes ?? 0) / 768);
    expect(row?.entropyCodedBytes).toBeLessThanOrEqual(row?.bytes ?? 0);
  });

  test("its numbers are those of the quantizer", async () => {
    const model = await stored(scheme);
    const [group] = constantGroups(model, await inferShapes(model)).filter(({ role }) => role === "weight");
    const decoded = await decodedWeight(model, group);
    const expected = dequantize(q);
    expect(decoded?.length).toBe(expected.length);
    for (let i = 0; i < 64; i++)
      for (let o = 0; o < 96; o += 7) expect(decoded?.[i * 96 + o]).toBe(expected[o * 64 + i]);
  });

  test("inspect names it", async () => {
    const { quantized, layers } = await inspect(await stored(scheme));
    expect(quantized).toMatchObject([{ scheme, weights: 1, parameters: 64 * 96 }]);
    expect(layers).toMatchObject([{ op: "MatMul", weights: [{ scheme, shape: [64, 96] }] }]);
  });
});
