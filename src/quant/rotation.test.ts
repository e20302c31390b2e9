import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix } from "#quant/quantizers/index";
import { drawRotation, rotate, rotateImportance, unrotate } from "#quant/rotation";
import { storedBits } from "#quant/storedBits";
import type { Matrix } from "#quant/types";

/** Columns of many orders: powers of two, Paley's 12, 20, 28, 36, and small ones that divide odd numbers of stretches. */
const widths = [2, 6, 10, 12, 20, 28, 36, 64, 72, 100, 144, 768];

function gauss(rows: number, columns: number, seed: number): Matrix {
  const rng = createRng(seed);
  return { values: Float32Array.from({ length: rows * columns }, () => normal(rng)), rows, columns };
}

const energy = (x: Float32Array): number => x.reduce((sum, v) => sum + v * v, 0);
const squaredError = (x: Float32Array, y: Float32Array): number => energy(x.map((v, i) => v - y[i]));

describe("a rotation", () => {
  test("is undone to float rounding, and keeps lengths", () => {
    fc.assert(
      fc.property(fc.constantFrom(...widths), fc.integer(), (columns, seed) => {
        const x = gauss(3, columns, seed);
        const rotation = drawRotation(columns, createRng(seed));
        const turned = rotate(x, rotation).values;
        expect(energy(turned) / energy(x.values)).toBeCloseTo(1, 5);
        const back = unrotate(turned, rotation);
        const largest = Math.max(...x.values.map(Math.abs));
        back.forEach((v, i) => expect(Math.abs(v - x.values[i])).toBeLessThan(largest * 2 ** -22));
      }),
      { numRuns: 50 },
    );
  });

  test("leaves products as they are when both sides turn", () => {
    const rotation = drawRotation(72, createRng(3));
    const [a, b] = [gauss(1, 72, 1), gauss(1, 72, 2)];
    const product = (x: Matrix, y: Matrix): number => x.values.reduce((sum, v, i) => sum + v * y.values[i], 0);
    expect(product(rotate(a, rotation), rotate(b, rotation))).toBeCloseTo(product(a, b), 4);
  });

  test("spreads one outlier over its stretch", () => {
    const x = { values: new Float32Array(768), rows: 1, columns: 768 };
    x.values[100] = 1;
    const turned = rotate(x, drawRotation(768, createRng(1))).values;
    for (const v of turned) expect(Math.abs(v)).toBeCloseTo(1 / Math.sqrt(768), 6);
  });

  test("is refused for odd numbers of columns, saying what would do", () => {
    expect(() => quantizeMatrix(gauss(2, 27, 1), "int8/hadamard", { rng: createRng(1) })).toThrow("27 columns");
  });

  test("of values whose sums are beyond float32 is refused", () => {
    const huge = { values: new Float32Array(256).fill(3e38), rows: 1, columns: 256 };
    expect(() => rotate(huge, { order: 256, signs: new Int8Array(256).fill(1) })).toThrow("beyond float32");
  });

  test("shares the importance of columns out evenly", () => {
    const importance = rotateImportance(Float32Array.of(1, 3, 0, 4), { order: 2, signs: new Int8Array(4) });
    expect([...importance]).toEqual([2, 2, 2, 2]);
  });
});

describe("/hadamard", () => {
  const options = () => ({ rng: createRng(1) });

  test.each(["int4/channel", "int8", "int3/group:64/mse"])(
    "takes most of the error that outliers make from %s",
    (scheme) => {
      const x = gauss(8, 256, 5);
      for (let i = 0; i < x.values.length; i += 97) x.values[i] *= 40;
      const error = (text: string): number => squaredError(x.values, dequantize(quantizeMatrix(x, text, options())));
      expect(error(`${scheme}/hadamard`)).toBeLessThan(0.8 * error(scheme));
    },
  );

  test("is written at the end of the scheme, wherever it stood", () => {
    const q = quantizeMatrix(gauss(2, 64, 1), "int4/hadamard/group:32", options());
    expect(q.scheme).toBe("int4/group:32/hadamard");
  });

  test("stores a bit a column, beside what the codes take", () => {
    const x = gauss(4, 100, 1);
    const plain = storedBits(quantizeMatrix(x, "int8/channel", options()));
    const rotated = storedBits(quantizeMatrix(x, "int8/channel/hadamard", options()));
    expect(rotated.signs).toBe(104); // 100 bits in whole bytes
    expect(rotated.total - plain.total).toBe(104);
  });
});
