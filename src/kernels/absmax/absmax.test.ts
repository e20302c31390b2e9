import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { absmax } from "#kernels/absmax/reference";
import { availableVariants, createKernels } from "#kernels/kernels";

function absmaxOf(x: Float32Array, run: number, by = absmax): Float32Array {
  const out = new Float32Array(x.length / run);
  by(x, run, out);
  return out;
}

test("the reference says what its comment says", () => {
  const x = Float32Array.of(1, -2, -0, -0, Number.NaN, 1, Number.NEGATIVE_INFINITY, 1);
  expect(absmaxOf(x, 2)).toEqual(Float32Array.of(2, 0, Number.NaN, Number.NaN));
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
      fc.property(runs, fc.float32Array({ minLength: 360, maxLength: 360 }), ([count, run, from], x) => {
        const numbers = x.subarray(from, from + count * run);
        expect(absmaxOf(numbers, run, kernels.absmax)).toEqual(absmaxOf(numbers, run));
      }),
    );
  });

  test("takes runs longer than a tile, and arrays in its own memory", () => {
    const x = kernels.allocate(Float32Array, 200_003);
    x.forEach((_, i) => (x[i] = Math.sin(i)));
    x[190_001] = -3;
    expect(absmaxOf(x, x.length, kernels.absmax)).toEqual(Float32Array.of(3));
    expect(absmaxOf(x.slice(), x.length, kernels.absmax)).toEqual(Float32Array.of(3));
  });
});
