import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { histogram } from "#kernels/histogram/reference";
import { availableVariants, createKernels } from "#kernels/kernels";

test("the reference says what its comment says", () => {
  const counts = new Float64Array(3);
  histogram(Float32Array.of(-1, -0.5, -0, 0.4, 0.5, 1, Number.NaN, Number.NEGATIVE_INFINITY), 0.5, -1, counts);
  expect([...counts]).toEqual([1, 2, 1]);
});

describe.each(availableVariants())("%s", (variant) => {
  const kernels = createKernels({ variant });

  test("counts what the reference counts, at every size of number", () => {
    fc.assert(
      fc.property(
        fc.float32Array({ minLength: 30, maxLength: 90 }),
        fc.integer({ min: -126, max: 100 }),
        fc.integer({ min: -9, max: 3 }),
        fc.integer({ min: 1, max: 7 }),
        (x, exponent, first, bins) => {
          const width = 2 ** exponent;
          // numbers around the bins, and whatever floats there are: NaN, infinities, subnormals
          const numbers = x.map((v, i) =>
            i % 3 === 0 ? v : ((i % 13) - 6) * width * (i % 2 === 0 ? 0.5 : 1 - 2 ** -24),
          );
          const [made, expected] = [new Float64Array(bins).fill(5), new Float64Array(bins).fill(5)];
          kernels.histogram(numbers, width, first, made);
          histogram(numbers, width, first, expected);
          expect(made).toEqual(expected);
        },
      ),
    );
  });

  test("a tiny negative number is below 0, also where its quotient is none any more", () => {
    const x = Float32Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? -1e-45 : 1e-45));
    const counts = new Float64Array(2);
    kernels.histogram(x, 2 ** 20, -1, counts);
    expect([...counts]).toEqual([4, 4]);
  });

  test("takes more than a tile", () => {
    const x = Float32Array.from({ length: 200_003 }, (_, i) => Math.sin(i) * 8);
    const [made, expected] = [new Float64Array(100), new Float64Array(100)];
    kernels.histogram(x, 0.125, -50, made);
    histogram(x, 0.125, -50, expected);
    expect(made).toEqual(expected);
  });
});
