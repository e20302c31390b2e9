import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstDifference } from "#kernels/firstDifference";
import { availableVariants, createKernels } from "#kernels/kernels";
import { type Blocks, type BlockScheme, type MatrixLayout, quantizeBlocks } from "#kernels/quantizeBlocks/reference";

function blocksOf(w: Float32Array, layout: MatrixLayout, scheme: BlockScheme, by = quantizeBlocks): Blocks {
  const count = layout.n * Math.ceil(layout.k / scheme.size);
  const codes = new Uint8Array((count * scheme.size * scheme.bits) / 8);
  const out = { codes, scales: new Float32Array(count), zeros: new Uint8Array(count) };
  by(w, layout, scheme, out);
  return out;
}

function expectSame(w: Float32Array, layout: MatrixLayout, scheme: BlockScheme, by: typeof quantizeBlocks): void {
  const [made, expected] = [blocksOf(w, layout, scheme, by), blocksOf(w, layout, scheme)];
  for (const part of ["codes", "scales", "zeros"] as const)
    expect(firstDifference(made[part], expected[part]), `${part}, ${JSON.stringify({ layout, scheme })}`).toBe(-1);
}

const schemes = ([2, 4, 8] as const).flatMap((bits) => [true, false].map((symmetric) => ({ bits, symmetric })));

/** Numbers between codes, of all sizes, and those that need care. */
const numbers = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -64, max: 64 }).map((n) => n / 4) },
  { weight: 20, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 3, arbitrary: fc.constantFrom(0, -0, 1e-45, -1e-40, 3.4028234663852886e38, -3.4028234663852886e38) },
);

test("a block that is not finite has the scale NaN, and its neighbours are as ever", () => {
  const w = new Float32Array(48).fill(1);
  w[20] = Number.NaN;
  w[40] = Number.POSITIVE_INFINITY;
  const scheme = { bits: 4, size: 16, symmetric: true } as const;
  const { scales, codes } = blocksOf(w, { k: 48, n: 1, transposed: true }, scheme);
  expect(scales).toEqual(Float32Array.of(-1 / 8, Number.NaN, Number.NaN));
  expect([...codes.subarray(0, 8)]).toEqual(Array(8).fill(0));
});

describe.each(availableVariants())("%s", (variant) => {
  const kernels = createKernels({ variant });

  test.each(schemes)("makes the reference's blocks: $bits bits, symmetric $symmetric", (form) => {
    fc.assert(
      fc.property(
        fc.record({ k: fc.integer({ min: 1, max: 100 }), n: fc.integer({ min: 1, max: 9 }), transposed: fc.boolean() }),
        fc.constantFrom(16, 32, 64),
        fc.array(numbers, { minLength: 30, maxLength: 120 }),
        fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 0, 0, 0, 0),
        (layout, size, some, strange) => {
          const w = Float32Array.from({ length: layout.k * layout.n }, (_, i) => some[(i * 11) % some.length]);
          if (strange !== 0) w[some.length % w.length] = strange;
          expectSame(w, layout, { ...form, size }, kernels.quantizeBlocks);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("rounds halves, and what is next to them, as the reference does", () => {
    // scale −1: codes are 8 − w, so all of these lie on and beside halves
    const halves = Array.from({ length: 15 }, (_, i) => i - 7.5);
    const beside = halves.flatMap((half) => [half, half * (1 + 2 ** -23), half * (1 - 2 ** -23)]);
    const w = Float32Array.from({ length: 64 }, (_, i) => (i % 32 === 0 ? 8 : beside[i % beside.length]));
    for (const transposed of [true, false])
      expectSame(w, { k: 32, n: 2, transposed }, { bits: 4, size: 32, symmetric: true }, kernels.quantizeBlocks);
    const tiny = Float32Array.from({ length: 64 }, (_, i) => (i % 16 === 0 ? 15 : (i % 5) * (0.5 - 2 ** -25)));
    for (const transposed of [true, false])
      expectSame(tiny, { k: 16, n: 4, transposed }, { bits: 4, size: 16, symmetric: false }, kernels.quantizeBlocks);
  });

  test("takes matrices larger than a tile, lying either way", () => {
    for (const [k, n] of [
      [160, 500],
      [128, 701],
      [1024, 70],
    ]) {
      const w = Float32Array.from({ length: k * n }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 89)));
      for (const transposed of [true, false])
        for (const symmetric of [true, false])
          expectSame(w, { k, n, transposed }, { bits: 4, size: 32, symmetric }, kernels.quantizeBlocks);
    }
  });
});
