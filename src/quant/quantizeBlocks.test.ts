import { array, assert, float as anyFloat, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { type BlockScheme, dequantizeBlocks, type MatrixLayout, quantizeBlocks } from "#quant/quantizeBlocks";

const schemes: BlockScheme[] = ([2, 4, 8] as const).flatMap((bits) =>
  [16, 32].flatMap((size) => [true, false].map((symmetric): BlockScheme => ({ bits, size, symmetric }))),
);

const roundTrip = (w: Float32Array, layout: MatrixLayout, scheme: BlockScheme): Float32Array =>
  dequantizeBlocks(quantizeBlocks(w, layout, scheme), layout, scheme);

const float = anyFloat({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1e30), max: Math.fround(1e30) });

describe.each(schemes)("$bits bits in blocks of $size, symmetric $symmetric", (scheme) => {
  const { bits, size, symmetric } = scheme;

  test("no value moves by more than one step of its block, and half a step but at the far end", () => {
    assert(
      property(array(float, { minLength: 1, maxLength: 70 }), (values) => {
        const w = Float32Array.from(values);
        const layout = { k: w.length, n: 1, transposed: false };
        const made = quantizeBlocks(w, layout, scheme);
        const back = dequantizeBlocks(made, layout, scheme);
        for (let i = 0; i < w.length; i++) {
          const s = Math.abs(made.scales[Math.floor(i / size)]);
          expect(Number.isFinite(s)).toBe(true);
          // symmetric codes reach −2ᵇ⁻¹ on one side only, so the other side's extreme may be cut by a step
          expect(Math.abs(w[i] - back[i])).toBeLessThanOrEqual(s * (symmetric ? 1 : 0.5) * 1.01 + s * 2e-6 * 2 ** bits);
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test("a matrix and its transpose have the same codes", () => {
    const [k, n] = [size + 3, 5];
    const w = Float32Array.from({ length: k * n }, (_, i) => Math.sin(i * 7.3));
    const lying = Float32Array.from(w, (_, i) => w[(i % k) * n + Math.floor(i / k)]);
    expect(quantizeBlocks(lying, { k, n, transposed: true }, scheme)).toEqual(
      quantizeBlocks(w, { k, n, transposed: false }, scheme),
    );
    const back = roundTrip(w, { k, n, transposed: false }, scheme);
    expect(roundTrip(lying, { k, n, transposed: true }, scheme)).toEqual(
      Float32Array.from(w, (_, i) => back[(i % k) * n + Math.floor(i / k)]),
    );
  });

  test("zero stays zero, and a block of zeros has finite parameters", () => {
    const w = new Float32Array(size * 2);
    w[size + 1] = 3;
    const back = roundTrip(w, { k: w.length, n: 1, transposed: false }, scheme);
    expect([...back].map(Math.abs)).toEqual([...w]);
  });

  test("the greatest finite numbers and the smallest ones keep finite scales and come back near", () => {
    for (const magnitude of [3.4028234663852886e38, 1e-40, 1.401298464324817e-45]) {
      const w = Float32Array.from({ length: size }, (_, i) => (i % 2 === 0 ? magnitude : -magnitude));
      const made = quantizeBlocks(w, { k: size, n: 1, transposed: false }, scheme);
      expect(Number.isFinite(made.scales[0])).toBe(true);
      const back = dequantizeBlocks(made, { k: size, n: 1, transposed: false }, scheme);
      for (const v of back) expect(Number.isNaN(v)).toBe(false);
    }
  });

  test("no values, no codes", () => {
    const made = quantizeBlocks(new Float32Array(0), { k: 0, n: 4, transposed: false }, scheme);
    expect(made.codes.length + made.scales.length + (made.zeroPoints?.length ?? 0)).toBe(0);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%s is refused where it is", (bad) => {
    for (const at of [0, 5, size, 2 * size - 1]) {
      const w = new Float32Array(2 * size).fill(1);
      w[at] = bad;
      expect(() => quantizeBlocks(w, { k: 2 * size, n: 1, transposed: false }, scheme)).toThrow(
        expect.objectContaining({ code: "quant/non-finite", message: expect.stringContaining(`index ${at}`) }),
      );
    }
  });
});

test("the extreme of a symmetric block always has code 0, and its sign is the scale's, turned", () => {
  const w = Float32Array.of(1, -2, 8, ...Array.from({ length: 13 }, () => 0));
  const made = quantizeBlocks(w, { k: 16, n: 1, transposed: false }, { bits: 4, size: 16, symmetric: true });
  expect(made.scales[0]).toBe(-1);
  expect([...made.codes.subarray(0, 2)]).toEqual([7 | (10 << 4), 0 | (8 << 4)]);
});
