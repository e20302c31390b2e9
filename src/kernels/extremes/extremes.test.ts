import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extremes } from "#kernels/extremes/reference";
import { firstDifference } from "#kernels/firstDifference";
import { availableVariants, createKernels } from "#kernels/kernels";

function extremesOf(x: Float32Array, run: number, by = extremes) {
  const [low, high] = [new Float32Array(x.length / run), new Float32Array(x.length / run)];
  by(x, run, low, high);
  return { low, high };
}

test("the reference says what its comment says", () => {
  const x = Float32Array.of(1, -2, 0.5, -0, -0, -0, Number.NaN, 1, 2, 3, Number.POSITIVE_INFINITY, 1);
  const nan = Number.NaN;
  expect(extremesOf(x, 3)).toEqual({ low: Float32Array.of(-2, 0, nan, nan), high: Float32Array.of(1, 0, nan, nan) });
  const [low, high] = [new Float32Array(2), new Float32Array(2)];
  extremes(new Float32Array(0), 1, low, high);
  expect([low[0], high[0]]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  extremes(x.subarray(0, 4), 1, low, high);
  expect([...low, ...high]).toEqual([0.5, -2, 1, 0]);
});

describe.each(availableVariants())("%s", (variant) => {
  const kernels = createKernels({ variant, bytes: 1 << 20 });

  test("finds what the reference finds, whatever the numbers and however many", () => {
    const runs = fc.tuple(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 0, max: 3 }),
    );
    fc.assert(
      fc.property(
        runs,
        fc.float32Array({ minLength: 360, maxLength: 360 }),
        fc.boolean(),
        ([count, run, from], x, finite) => {
          const numbers = (finite ? x.map((v) => (v - v === 0 ? v : -0)) : x).subarray(from, from + count * run);
          expect(extremesOf(numbers, run, kernels.extremes)).toEqual(extremesOf(numbers, run));
        },
      ),
    );
  });

  test("finds what the reference finds in columns, and in runs that come again", () => {
    fc.assert(
      fc.property(
        fc.record({
          run: fc.constantFrom(1, 1, 16, 19),
          count: fc.integer({ min: 1, max: 40 }),
          cycles: fc.integer({ min: 1, max: 3 }),
        }),
        fc.array(fc.float(), { minLength: 5, maxLength: 90 }),
        ({ run, count, cycles }, some) => {
          const x = Float32Array.from({ length: run * count * cycles }, (_, i) => some[(i * 5) % some.length]);
          const [low, high, lows, highs] = Array.from({ length: 4 }, () => new Float32Array(count));
          kernels.extremes(x, run, low, high);
          extremes(x, run, lows, highs);
          expect([low, high]).toEqual([lows, highs]);
        },
      ),
    );
  });

  test("takes runs longer than a tile, and arrays in its own memory", () => {
    const x = kernels.allocate(Float32Array, 200_003);
    for (let i = 0; i < x.length; i++) x[i] = ((i * 7919) % 100_003) - 50_000;
    const outside = x.slice();
    expect(extremesOf(x, x.length, kernels.extremes)).toEqual(extremesOf(outside, x.length));
    expect(extremesOf(outside, x.length, kernels.extremes)).toEqual(extremesOf(outside, x.length));
    for (const columns of [2001, 66_667]) {
      const [low, high, lows, highs] = Array.from({ length: 4 }, () => new Float32Array(columns));
      const matrix = outside.subarray(0, columns * Math.floor(outside.length / columns));
      kernels.extremes(matrix, 1, low, high);
      extremes(matrix, 1, lows, highs);
      expect(firstDifference(low, lows) + firstDifference(high, highs)).toBe(-2);
    }
    outside[170_000] = Number.NaN;
    expect(extremesOf(outside, x.length, kernels.extremes).low[0]).toBeNaN();
  });
});
