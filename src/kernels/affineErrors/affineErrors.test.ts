import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { affineErrors } from "#kernels/affineErrors/reference";
import { firstDifference } from "#kernels/firstDifference";
import { availableVariants, createKernels } from "#kernels/kernels";

test("the reference says what its comment says", () => {
  const candidates = {
    scales: Float32Array.of(1, 0.5),
    lowest: Float32Array.of(-1, -8),
    highest: Float32Array.of(1, 7),
  };
  const errors = Float64Array.of(100, 0);
  affineErrors(Float32Array.of(0.25, -3, 0.5), candidates, errors);
  // 0, −1, 0 (half to even), then 0 (half to even), −3, 0.5
  expect([...errors]).toEqual([100 + 0.0625 + 4 + 0.25, 0.0625]);
});

describe.each(availableVariants())("%s", (variant) => {
  const kernels = createKernels({ variant, bytes: 1 << 20 });

  test("adds up what the reference adds up, to the last bit", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 100 }),
        fc.array(fc.float({ min: Math.fround(0.001), max: 10, noNaN: true }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 3000 }),
        (some, steps, length) => {
          const x = Float32Array.from({ length }, (_, i) => some[(i * i) % some.length]);
          const scales = Float32Array.from(steps);
          const candidates = { scales, lowest: scales.map((_, k) => -k), highest: scales.map((_, k) => 7 + k) };
          const [made, expected] = [new Float64Array(scales.length), new Float64Array(scales.length)];
          kernels.affineErrors(x, candidates, made);
          affineErrors(x, candidates, expected);
          expect(firstDifference(made, expected)).toBe(-1);
        },
      ),
      { numRuns: 20 },
    );
  });

  test("takes more than a tile, also in its own memory, and goes on from what is there", () => {
    const x = kernels.allocate(Float32Array, 70_000).map((_, i) => Math.sin(i));
    const inside = kernels.allocate(Float32Array, 70_000);
    inside.set(x);
    const candidates = { scales: Float32Array.of(0.1), lowest: Float32Array.of(-8), highest: Float32Array.of(7) };
    const expected = Float64Array.of(3);
    affineErrors(x, candidates, expected);
    for (const numbers of [x, inside]) {
      const made = Float64Array.of(3);
      kernels.affineErrors(numbers, candidates, made);
      expect(made).toEqual(expected);
    }
  });
});
