import { expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { dequantize } from "#quant/dequantize";
import { ggmlTypes } from "#quant/ggml/index";
import { quantizeMatrix } from "#quant/quantizers/index";
import { storedBits } from "#quant/storedBits";

const rng = createRng(3);
const noise = (count: number) => Float32Array.from({ length: count }, () => normal(rng));

test("a block does not reach into the next row: columns that it does not divide are refused, with what would fit", () => {
  const x = { values: noise(2 * 96), rows: 2, columns: 96 };
  expect(() => quantizeMatrix(x, "gguf:q4_k", { rng })).toThrow(
    /^96 columns are no multiple of 256, the block of gguf:q4_k; gguf:q4_0, .*gguf:iq4_nl, gguf:mxfp4, gguf:f16, gguf:bf16, gguf:f32 would fit$/,
  );
  expect(quantizeMatrix(x, "gguf:q4_0", { rng }).codes.length).toBe(2 * 3 * 18);
});

test("block types are known in either case, others are refused with all there are", () => {
  expect(quantizeMatrix({ values: noise(32), rows: 1, columns: 32 }, "gguf:Q4_0", { rng }).scheme).toBe("gguf:q4_0");
  expect(() => quantizeMatrix({ values: noise(32), rows: 1, columns: 32 }, "gguf:q4_2", { rng })).toThrow(
    expect.objectContaining({ code: "usage/scheme", hint: expect.stringContaining("gguf:q4_1") }),
  );
});

test("numbers that no float16 scale holds are refused by place, and kept by types with wider scales", () => {
  const values = noise(512);
  values[300] = 1e9;
  const x = { values, rows: 2, columns: 256 };
  for (const type of ["q4_0", "q4_1", "q5_0", "q8_0", "q3_k", "q4_k", "q6_k", "iq4_xs", "tq1_0", "f16"])
    expect(() => quantizeMatrix(x, `gguf:${type}`, { rng })).toThrow(/cannot hold the block of .*, in row 1, column/);
  for (const type of ["f32", "bf16", "q8_k", "mxfp4"])
    expect(dequantize(quantizeMatrix(x, `gguf:${type}`, { rng }))[300] / 1e9).toBeCloseTo(1, 0);
});

test("scales are counted apart from codes: llama.cpp's bits per weight", () => {
  const x = { values: noise(4096), rows: 4, columns: 1024 };
  for (const [name, { bytes, elements, scaleBytes }] of Object.entries(ggmlTypes)) {
    const { codes, scales, total } = storedBits(quantizeMatrix(x, `gguf:${name}`, { rng }));
    expect(total / 4096, name).toBe((bytes * 8) / elements);
    expect([codes, scales], name).toEqual([(total / bytes) * (bytes - scaleBytes), (total / bytes) * scaleBytes]);
  }
});

test("errors move to where they matter less", () => {
  const x = { values: noise(16 * 256), rows: 16, columns: 256 };
  const importance = Float32Array.from({ length: 256 }, (_, i) => (i % 4 === 0 ? 1 : 0.01));
  const weighted = (decoded: Float32Array) =>
    decoded.reduce((sum, v, i) => sum + importance[i % 256] * (v - x.values[i]) ** 2, 0);
  for (const type of ["q4_0", "q4_1", "q5_0", "q5_1", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs"]) {
    const [plain, aware] = [undefined, importance].map((h) =>
      weighted(dequantize(quantizeMatrix(x, `gguf:${type}`, { rng, importance: h }))),
    );
    expect(aware, type).toBeLessThan(plain);
  }
});
