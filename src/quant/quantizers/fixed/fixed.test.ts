import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix, tensorScheme } from "#quant/quantizers/index";
import { storedBits } from "#quant/storedBits";

const row = (...values: number[]) => ({ values: Float32Array.from(values), rows: 1, columns: values.length });
const decoded = (scheme: string, ...values: number[]) => [
  ...dequantize(quantizeMatrix(row(...values), scheme, { rng: createRng(1) })),
];

describe("fixed point", () => {
  test("of 8 bits, 3 behind the point, reads 00010.110 as 2.75", () => {
    // MIT 6.5940, lecture 5: fixed<8,3>
    const q = quantizeMatrix(row(2.75), "fixed:4.3", { rng: createRng(1) });
    expect(q.codes[0]).toBe(0b00010110);
    expect([...dequantize(q)]).toEqual([2.75]);
  });

  test("rounds to multiples of its step, ties to even, and saturates", () => {
    expect(decoded("fixed:1.2", 0.3, 0.375, 0.625, 1.9, 7, -7)).toEqual([0.25, 0.5, 0.5, 1.75, 1.75, -2]);
    expect(decoded("fixed:2.2/unsigned", -1, 0.3, 9)).toEqual([0, 0.25, 3.75]);
  });

  test("stores an exponent beside its codes", () => {
    const { codes, scales } = storedBits(quantizeMatrix(row(1, 2, 3), "fixed:3.4", { rng: createRng(1) }));
    expect([codes, scales]).toEqual([24, 8]);
  });

  test.each([
    "fixed",
    "fixed:8",
    "fixed:3.4/channel",
    "fixed:9.9",
    "fixed:3.4/stochastic/stochastic",
    "fixed:3.4/unsigned:1",
  ])("refuses %s", (scheme) => {
    expect(() => tensorScheme(scheme)).toThrow(expect.objectContaining({ code: "usage/scheme" }));
  });
});
