import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LowbitError } from "#base/errors";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { dequantize } from "#quant/dequantize";
import type { QTensor } from "#quant/qtensor";
import { quantizeMatrix, quantizers, tensorScheme } from "#quant/quantizers/index";
import { bitsPerWeight, storedBits } from "#quant/storedBits";
import type { Matrix, Quantizer } from "#quant/types";

const options = () => ({ rng: createRng(1) });
const every = Object.values<Quantizer>(quantizers).flatMap(({ name, examples }) =>
  // any of them takes a rotation; one of each quantizer shows it
  [...examples, `${examples[0]}/hadamard`].map((example) => [name, example] as const),
);

function gauss(rows: number, columns: number, seed = 7): Matrix {
  const rng = createRng(seed);
  return { values: Float32Array.from({ length: rows * columns }, () => normal(rng)), rows, columns };
}

function squaredError(x: Float32Array, y: Float32Array): number {
  return x.reduce((sum, v, i) => sum + (v - y[i]) ** 2, 0);
}

/** Undefined where scales of less range than float32 refuse numbers beyond float16. */
function unlessTooLarge(x: Matrix, example: string): QTensor | undefined {
  try {
    return quantizeMatrix(x, example, options());
  } catch (error) {
    if (error instanceof LowbitError && error.code === "quant/scheme" && x.values.some((v) => Math.abs(v) > 65504))
      return undefined;
    throw error;
  }
}

/** Any finite matrix whose columns every example divides. */
const matrices = fc
  .record({ rows: fc.integer({ min: 0, max: 4 }), seed: fc.integer(), exponent: fc.integer({ min: -30, max: 30 }) })
  .map(({ rows, seed, exponent }): Matrix => {
    const { values, ...size } = gauss(rows, 256, seed);
    return { ...size, values: values.map((v) => v * 2 ** exponent) };
  });

test("a quantizer's name is its key", () => {
  for (const [key, { name }] of Object.entries<Quantizer>(quantizers)) expect(name).toBe(key);
});

describe.each(every)("%s: %s", (name, example) => {
  test("is written as it is read", () => {
    const { quantizer, scheme, text } = tensorScheme(example);
    expect(quantizer.name).toBe(name);
    expect(tensorScheme(text).scheme).toEqual(scheme);
    expect(tensorScheme(text).text).toBe(text);
  });

  test("decodes to finite numbers, the same ones for the same seed; or refuses what its scales cannot hold", () => {
    fc.assert(
      fc.property(matrices, (x) => {
        const first = unlessTooLarge(x, example);
        if (first === undefined) return;
        const decoded = dequantize(first);
        expect(decoded.length).toBe(x.values.length);
        expect(decoded.every(Number.isFinite)).toBe(true);
        expect(isDeepStrictEqual(quantizeMatrix(x, example, options()), first)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test("leaves less of Gaussian noise than was there", () => {
    const x = gauss(16, 256);
    const error = squaredError(x.values, dequantize(quantizeMatrix(x, example, options())));
    expect(error).toBeLessThan(0.75 * squaredError(x.values, new Float32Array(x.values.length)));
  });

  test("takes zeros, and a single value", () => {
    const zeros = { values: new Float32Array(512), rows: 2, columns: 256 };
    expect([...dequantize(quantizeMatrix(zeros, example, options()))].every(Number.isFinite)).toBe(true);
    const same = { values: new Float32Array(256).fill(0.37), rows: 1, columns: 256 };
    expect([...dequantize(quantizeMatrix(same, example, options()))].every(Number.isFinite)).toBe(true);
  });

  test("refuses what is not finite, and says where", () => {
    const x = gauss(1, 256);
    x.values[130] = Number.NaN;
    expect(() => quantizeMatrix(x, example, options())).toThrow("130");
  });

  test("stores at least its nominal bits, and counts all of them", () => {
    const { quantizer, scheme } = tensorScheme(example);
    const q = quantizeMatrix(gauss(64, 256), example, options());
    const { codes, scales, zeroPoints, tables, signs, total } = storedBits(q);
    expect(codes + scales + zeroPoints + tables + signs).toBe(total);
    expect(bitsPerWeight(q)).toBeGreaterThanOrEqual(quantizer.nominalBits(scheme) - 1e-9);
  });
});
