import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix, tensorScheme } from "#quant/quantizers/index";
import type { QTensor } from "#quant/qtensor";

const options = () => ({ rng: createRng(1) });
const row = (...values: number[]) => ({ values: Float32Array.from(values), rows: 1, columns: values.length });
const stepsOf = ({ decoding }: QTensor) => (decoding.kind === "affine" ? [...decoding.scale] : []);

describe("dynamic fixed point", () => {
  test("moves the point with the range of each row", () => {
    const x = { values: Float32Array.of(0.1, -0.05, 100, -3), rows: 2, columns: 2 };
    // 0.1·2¹⁰ = 102.4 and 100·2⁰ fit 8 bits, twice as much does not
    expect(stepsOf(quantizeMatrix(x, "dfp:8/channel", options()))).toEqual([2 ** -10, 1]);
    expect(stepsOf(quantizeMatrix(x, "dfp:8", options()))).toEqual([1]);
  });

  test("uses the lowest code, and looks at what rounding does to the highest", () => {
    expect(stepsOf(quantizeMatrix(row(-1), "dfp:4", options()))).toEqual([1 / 8]);
    expect(stepsOf(quantizeMatrix(row(1), "dfp:4", options()))).toEqual([1 / 4]);
    expect(stepsOf(quantizeMatrix(row(7.49), "dfp:4", options()))).toEqual([1]);
    expect(stepsOf(quantizeMatrix(row(7.51), "dfp:4", options()))).toEqual([2]);
  });

  test("has the finest step that lets nothing overflow", () => {
    const words = fc.integer({ min: 2, max: 16 });
    fc.assert(
      fc.property(fc.integer(), words, fc.integer({ min: -20, max: 20 }), (seed, bits, exponent) => {
        const rng = createRng(seed);
        const x = row(...Array.from({ length: 32 }, () => normal(rng) * 2 ** exponent));
        const q = quantizeMatrix(x, `dfp:${bits}`, options());
        const [step] = stepsOf(q);
        const far = (s: number) =>
          x.values.filter((v) => v / s >= 2 ** (bits - 1) - 0.5 || v / s < -(2 ** (bits - 1)) - 0.5).length;
        expect(far(step)).toBe(0);
        expect(far(step / 2)).toBeGreaterThan(0);
        dequantize(q).forEach((v, i) => expect(Math.abs(v - x.values[i])).toBeLessThanOrEqual(step / 2));
      }),
      { numRuns: 60 },
    );
  });

  test("lets as many values overflow as it is told, and zeros do not count", () => {
    const values = [...Array.from({ length: 99 }, () => 0.9), 100];
    expect(stepsOf(quantizeMatrix(row(...values), "dfp:8/overflow:0.9", options()))).toEqual([1]);
    expect(stepsOf(quantizeMatrix(row(...values), "dfp:8/overflow:1", options()))).toEqual([1 / 128]);
    const zeros = [...Array.from({ length: 99 }, () => 0), 1];
    expect(stepsOf(quantizeMatrix(row(...zeros), "dfp:8/overflow:50", options()))).toEqual([1 / 64]);
  });

  test("of zeros and of the extremes of float32 is finite", () => {
    expect(stepsOf(quantizeMatrix(row(0, 0), "dfp:8", options()))).toEqual([1]);
    const q = quantizeMatrix(row(3e38, -3e38, 1e-45), "dfp:2", options());
    expect([...dequantize(q)].every(Number.isFinite)).toBe(true);
    expect(stepsOf(quantizeMatrix(row(1e-45), "dfp:8", options()))).toEqual([2 ** -126]);
  });

  test.each([
    "dfp",
    "dfp:1",
    "dfp:17",
    "dfp:8/overflow",
    "dfp:8/overflow:100",
    "dfp:8/stochastic:3",
    "dfp:8/asymmetric",
  ])("refuses %s", (scheme) => {
    expect(() => tensorScheme(scheme)).toThrow(expect.objectContaining({ code: "usage/scheme" }));
  });
});
