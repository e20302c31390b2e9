import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstDifference } from "#kernels/firstDifference";
import { availableVariants, createKernels } from "#kernels/kernels";
import { type AffineParameters, type Codes, quantizeAffine } from "#kernels/quantizeAffine/reference";

const types = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array] as const;

function codesOf(
  x: Float32Array,
  parameters: AffineParameters,
  Type: (typeof types)[number],
  by = quantizeAffine,
): Codes {
  const codes = new Type(x.length);
  by(x, parameters, codes);
  return codes;
}

test("the reference says what its comment says", () => {
  const x = Float32Array.of(0.5, 1.5, -2.5, -0.2, 1000, Number.NEGATIVE_INFINITY, Number.NaN, 3);
  const one = { scale: Float32Array.of(1), zeroPoint: null, run: 8, min: -127, max: 127 };
  expect([...codesOf(x, one, Int8Array)]).toEqual([0, 2, -2, 0, 127, -127, -127, 3]);
  const two = { scale: Float32Array.of(1, 0.5), zeroPoint: Int32Array.of(10, 20), run: 2, min: 0, max: 255 };
  expect([...codesOf(x, two, Uint8Array)]).toEqual([10, 12, 15, 20, 255, 0, 0, 26]);
});

/** Numbers that end up between, on and beside codes, for scales around 1. */
const values = fc.oneof(
  fc.float(),
  fc.integer({ min: -600, max: 600 }).map((n) => n / 2),
  fc.integer({ min: -600, max: 600 }).map((n) => Math.fround((n / 2) * (1 + 2 ** -23))),
);
const scales = fc.oneof(
  fc.constantFrom(1, 0.5, 2 ** -126, 3.4e38, 1e-45),
  fc.float({ min: Math.fround(0.01), max: 100, noNaN: true }),
  fc.float({ min: -2, max: Math.fround(-0.5), noNaN: true }),
);

describe.each(availableVariants())("%s", (variant) => {
  const kernels = createKernels({ variant, bytes: 1 << 21 });

  test.each(types.map((Type) => [Type.name, Type] as const))("gives the reference's codes as %s", (_, Type) => {
    const top = Type === Int32Array ? 2 ** 20 : 256 ** Type.BYTES_PER_ELEMENT - 1;
    const [min, max] = Type.name.startsWith("U") ? [0, top] : [-(top >> 1), top >> 1];
    fc.assert(
      fc.property(
        fc.record({ run: fc.constantFrom(1, 3, 16, 17, 32, 45), lines: fc.integer({ min: 1, max: 3 }) }),
        fc.array(scales, { minLength: 1, maxLength: 40 }),
        fc.option(fc.array(fc.integer({ min, max }), { minLength: 40, maxLength: 40 })),
        fc.array(values, { minLength: 50, maxLength: 200 }),
        fc.integer({ min: 0, max: 3 }),
        ({ run, lines }, scale, zeros, some, from) => {
          const x = Float32Array.from(
            { length: from + run * lines * scale.length },
            (_, i) => some[(i * 7) % some.length],
          );
          const zeroPoint = zeros && Int32Array.from(zeros).subarray(0, scale.length);
          const parameters = { scale: Float32Array.from(scale), zeroPoint, run, min, max };
          const part = x.subarray(from);
          expect(codesOf(part, parameters, Type, kernels.quantizeAffine)).toEqual(codesOf(part, parameters, Type));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("takes tensors larger than a tile, rows longer than one, and arrays in its own memory", () => {
    const x = kernels.allocate(Float32Array, 150_000);
    for (let i = 0; i < x.length; i++) x[i] = Math.sin(i * i) * 100;
    for (const [run, count] of [
      [150_000, 1],
      [75_000, 2],
      [1, 75_000],
      [1, 30],
      [30, 5000],
    ]) {
      const scale = Float32Array.from({ length: count }, (_, i) => 0.5 + (i % 7) / 8);
      const zeroPoint = Int32Array.from({ length: count }, (_, i) => 100 + (i % 50));
      const parameters = { scale, zeroPoint, run, min: 0, max: 255 };
      const expected = codesOf(x.slice(), parameters, Uint8Array);
      const outside = codesOf(x.slice(), parameters, Uint8Array, kernels.quantizeAffine);
      expect(firstDifference(outside, expected)).toBe(-1);
      const inside = kernels.allocate(Uint8Array, x.length);
      kernels.quantizeAffine(x, parameters, inside);
      expect(firstDifference(inside, expected)).toBe(-1);
    }
  });

  test("leaves codes wider than float32 can round to the reference", () => {
    const x = Float32Array.from({ length: 64 }, (_, i) => (i - 32) * 1e8);
    const parameters = { scale: Float32Array.of(1), zeroPoint: null, run: 64, min: -(2 ** 31), max: 2 ** 31 - 1 };
    expect(codesOf(x, parameters, Int32Array, kernels.quantizeAffine)).toEqual(codesOf(x, parameters, Int32Array));
  });
});
