import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import type { Matrix } from "#quant/types";
import { compareQuantizers, type ComparedWeight, paretoFront } from "#report/compareQuantizers";
import { compareQuantizersText } from "#report/compareQuantizersText";

function weight(name: string, rows: number, columns: number): ComparedWeight {
  const rng = createRng(name);
  const x: Matrix = { values: Float32Array.from({ length: rows * columns }, () => normal(rng)), rows, columns };
  return { name, load: async () => x };
}

const both = [weight("even", 8, 64), weight("odd", 8, 63)];

describe("a comparison of quantizers", () => {
  test("counts bits over all weights, and error as one signal", async () => {
    const { rows, weights } = await compareQuantizers("m.onnx", both, { schemes: ["int8", "int4/channel"], seed: 1 });
    expect(weights).toBe(8 * 127);
    // a scale of 32 bits for each tensor; for each row
    expect(rows[0].bitsPerWeight).toBeCloseTo(8 + (2 * 32) / weights, 10);
    expect(rows[1].bitsPerWeight).toBeCloseTo(4 + (16 * 32) / weights, 2);
    expect(rows[0].sqnrDb).toBeGreaterThan(30);
    expect(rows[1].sqnrDb).toBeLessThan(25);
  });

  test("tells what does not fit, and judges the rest", async () => {
    const { rows } = await compareQuantizers("m.onnx", both, { schemes: ["gguf:q4_0"], seed: 1 });
    expect(rows[0]).toMatchObject({ skipped: 1, weights: 8 * 64 });
    expect(rows[0].why).toContain("63");
    expect(compareQuantizersText({ model: "m", layers: ["a", "b"], weights: 1, rows })).toContain(
      "does not fit 1 tensor",
    );
  });

  test("of a single tensor shows the values in use", async () => {
    const { tensor } = await compareQuantizers("m.onnx", both.slice(0, 1), {
      schemes: ["int2", "int8/channel"],
      seed: 1,
    });
    expect(tensor?.quantizers[0].levels.length).toBe(3);
    expect(tensor?.quantizers[1].levels.length).toBeGreaterThan(100);
    expect(tensor?.histogram.counts.reduce((a, b) => a + b)).toBe(512);
  });

  test("on the front leaves what another beats in bits and error", async () => {
    const { rows } = await compareQuantizers("m.onnx", both, {
      schemes: ["int8", "int4", "int6", "uint8/percentile:60"],
      seed: 1,
    });
    expect([...paretoFront(rows)].map(({ scheme }) => scheme)).toEqual(["int4", "int6", "int8"]);
  });

  test("does not take a scheme that nobody reads", async () => {
    await expect(compareQuantizers("m.onnx", both, { schemes: ["int99"], seed: 1 })).rejects.toMatchObject({
      code: "usage/scheme",
    });
  });
});
