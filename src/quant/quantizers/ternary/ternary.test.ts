import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix, tensorScheme } from "#quant/quantizers/index";

const floats = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -8, max: 8 }), { minLength: 1, maxLength: 40 })
  .map((list) => Float32Array.from(list));
const importances = fc.float32Array({ noNaN: true, min: Math.fround(0.01), max: 10, minLength: 40, maxLength: 40 });

function weightedError(x: Float32Array, scheme: string, importance: Float32Array): number {
  const matrix = { values: x, rows: 1, columns: x.length };
  const back = dequantize(quantizeMatrix(matrix, scheme, { importance, rng: createRng(1) }));
  return x.reduce((sum, v, i) => sum + importance[i] * (v - back[i]) ** 2, 0);
}

/** Over every threshold, each with its best scale: of one sign, or of both together. */
function leastError(x: Float32Array, importance: Float32Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (const above of [...x.map(Math.abs), 0]) {
    const kept = [...x.keys()].filter((i) => Math.abs(x[i]) > above);
    const weight = kept.reduce((sum, i) => sum + importance[i], 0);
    const scale = weight === 0 ? 0 : kept.reduce((sum, i) => sum + importance[i] * Math.abs(x[i]), 0) / weight;
    const error = x.reduce(
      (sum, v, i) => sum + importance[i] * (Math.abs(v) - (Math.abs(v) > above ? scale : 0)) ** 2,
      0,
    );
    least = Math.min(least, error);
  }
  return least;
}

describe("ternary weights", () => {
  test("the optimal threshold is the best of all", () => {
    fc.assert(
      fc.property(floats, importances, (x, h) => {
        const importance = h.slice(0, x.length);
        // no scale is subnormal
        const size = x.reduce((sum, v, i) => sum + importance[i] * v * v, 1e-60);
        const least = leastError(x, importance);
        expect(Math.abs(weightedError(x, "ternary/optimal", importance) - least)).toBeLessThanOrEqual(1e-6 * size);
        const sides =
          leastError(
            x.map((v) => Math.max(v, 0)),
            importance,
          ) +
          leastError(
            x.map((v) => Math.min(v, 0)),
            importance,
          );
        expect(Math.abs(weightedError(x, "ternary:ttq/optimal", importance) - sides)).toBeLessThanOrEqual(1e-6 * size);
      }),
    );
  });

  test("two scales are never worse than one at the same threshold", () => {
    fc.assert(
      fc.property(floats, importances, (x, h) => {
        const importance = h.slice(0, x.length);
        const one = weightedError(x, "ternary", importance);
        expect(weightedError(x, "ternary:ttq", importance)).toBeLessThanOrEqual(one * (1 + 1e-5) + 1e-9);
      }),
    );
  });

  test("TTQ's threshold is a part of the greatest magnitude", () => {
    const x = Float32Array.of(10, 0.4, -0.6, -0.5, 5);
    const q = quantizeMatrix({ values: x, rows: 1, columns: 5 }, "ternary:ttq/max:0.05", { rng: createRng(1) });
    expect([...dequantize(q)]).toEqual([7.5, 0, Math.fround(-0.6), 0, 7.5]);
  });

  test("what does not exist is refused", () => {
    for (const scheme of [
      "ternary:twn2",
      "ternary/max:1",
      "ternary/max:x",
      "ternary:absmean/optimal",
      "ternary/bits:2",
    ])
      expect(() => tensorScheme(scheme), scheme).toThrow(expect.objectContaining({ code: "usage/scheme" }));
  });
});
