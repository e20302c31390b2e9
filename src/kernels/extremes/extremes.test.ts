import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extremes } from "#kernels/extremes/reference";
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
  const [low, high] = [new Float32Array(1), new Float32Array(1)];
  extremes(new Float32Array(0), 0, low, high);
  expect([low[0], high[0]]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
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

  test("takes runs longer than a tile, and arrays in its own memory", () => {
    const x = kernels.allocate(Float32Array, 200_003);
    for (let i = 0; i < x.length; i++) x[i] = ((i * 7919) % 100_003) - 50_000;
    const outside = x.slice();
    expect(extremesOf(x, x.length, kernels.extremes)).toEqual(extremesOf(outside, x.length));
    expect(extremesOf(outside, x.length, kernels.extremes)).toEqual(extremesOf(outside, x.length));
    outside[170_000] = Number.NaN;
    expect(extremesOf(outside, x.length, kernels.extremes).low[0]).toBeNaN();
  });
});
