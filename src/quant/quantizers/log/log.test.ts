import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix, tensorScheme } from "#quant/quantizers/index";
import { additivePowersOfTwo, powersOfRootTwo, powersOfTwo } from "#quant/quantizers/log/levels";

describe("logarithmic levels", () => {
  test("are zero and powers of two, or of its root", () => {
    expect(powersOfTwo(2)).toEqual([0, 1]);
    expect(powersOfTwo(4)).toEqual([0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]);
    const root = powersOfRootTwo(4);
    expect(root.filter((_, i) => i % 2 === 1)).toEqual([1 / 8, 1 / 4, 1 / 2, 1]);
    root.slice(2).forEach((level, i) => expect(level / root[i + 1]).toBeCloseTo(Math.SQRT2, 14));
  });

  test("of APoT are the published sums: Li, Dong & Wang 2020, k = 2", () => {
    expect(additivePowersOfTwo(3)).toEqual([0, 1 / 8, 1 / 4, 1 / 2].map((v) => v * 2));
    const four = [0, 1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 5 / 8];
    expect(additivePowersOfTwo(4)).toEqual(four.map((v) => v / (5 / 8)));
    // two terms of two bits: (0, 1/2, 1/8, 1/32) + (0, 1/4, 1/16, 1/64)
    const five = [0, 1 / 2, 1 / 8, 1 / 32].flatMap((a) => [0, 1 / 4, 1 / 16, 1 / 64].map((b) => (a + b) / 0.75));
    expect(additivePowersOfTwo(5)).toEqual(five.sort((a, b) => a - b));
    for (const bits of [3, 4, 5, 6, 7, 8]) expect(new Set(additivePowersOfTwo(bits)).size).toBe(2 ** (bits - 1));
  });
});

describe("logarithmic weights", () => {
  const rng = createRng(5);
  const x = Float32Array.from({ length: 2000 }, () => normal(rng));
  const error = (scheme: string): number => {
    const q = quantizeMatrix({ values: x, rows: 1, columns: x.length }, scheme, { rng: createRng(1) });
    return dequantize(q).reduce((sum, v, i) => sum + (x[i] - v) ** 2, 0);
  };

  test("no scale from a fine grid is better than the one that is chosen", () => {
    for (const [scheme, levels] of [
      ["log2:4", powersOfTwo(4)],
      ["log2:4/sqrt2", powersOfRootTwo(4)],
      ["apot:4", additivePowersOfTwo(4)],
    ] as const) {
      let least = Number.POSITIVE_INFINITY;
      for (let scale = 0.3; scale < 6; scale += 0.01) {
        const nearest = (v: number): number => Math.min(...levels.map((level) => (Math.abs(v) - scale * level) ** 2));
        least = Math.min(
          least,
          x.reduce((sum, v) => sum + nearest(v), 0),
        );
      }
      expect(error(scheme), scheme).toBeLessThanOrEqual(least * 1.0001);
    }
  });

  test("dense sums beat bare powers on Gaussian weights, whose large values bare powers round coarsely", () => {
    expect(error("apot:4")).toBeLessThan(error("log2:4/sqrt2"));
    expect(error("log2:4/sqrt2")).toBeLessThan(error("log2:4"));
  });

  test("powers of two are exact for weights that are powers of two", () => {
    const values = Float32Array.of(0, 0.5, -0.25, 8, -1, 2, 4, 0.125);
    const q = quantizeMatrix({ values, rows: 1, columns: 8 }, "log2:4", { rng: createRng(1) });
    expect([...dequantize(q)]).toEqual([...values]);
  });

  test("what does not exist is refused", () => {
    for (const scheme of ["log2", "log2:1", "log2:9", "apot:2", "apot:4/sqrt2", "log2:4/base:3"])
      expect(() => tensorScheme(scheme), scheme).toThrow(expect.objectContaining({ code: "usage/scheme" }));
  });
});
