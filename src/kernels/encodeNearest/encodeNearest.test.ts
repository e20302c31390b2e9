import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeNearest } from "#kernels/encodeNearest/reference";
import { firstDifference } from "#kernels/firstDifference";
import { availableVariants, createKernels } from "#kernels/kernels";

test("the reference says what its comment says", () => {
  const codes = new Uint8Array(7);
  encodeNearest(Float32Array.of(-9, 0, 0.5, 0.6, 1.5, 9, Number.NaN), [0, 1, 2], codes);
  expect([...codes]).toEqual([0, 0, 0, 1, 1, 2, 0]);
});

describe.each(availableVariants())("%s", (variant) => {
  const kernels = createKernels({ variant });

  test("finds what the reference finds, for tables of all sizes, on borders and beside them", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(2, 3, 4, 15, 16, 17, 96, 97, 256),
        fc.array(fc.float({ noNaN: true }), { minLength: 256, maxLength: 256 }),
        fc.array(fc.float(), { minLength: 5, maxLength: 9 }),
        (size, entries, some) => {
          const table = Float32Array.from(entries.slice(0, size)).sort();
          const x = Float32Array.from({ length: 4 * size + 30 }, (_, i) => {
            const k = i % size;
            const border = (table[k] + table[(k + 1) % size]) / 2;
            return i % 5 === 0 ? some[i % some.length] : border * (1 + (((i >> 3) % 3) - 1) * 2 ** -23);
          });
          const [made, expected] = [new Uint8Array(x.length), new Uint8Array(x.length)];
          kernels.encodeNearest(x, table, made);
          encodeNearest(x, table, expected);
          expect(firstDifference(made, expected)).toBe(-1);
        },
      ),
      { numRuns: 25 },
    );
  });

  test("a border that is no float32 is not crossed by the one below it", () => {
    // halfway between 1 and its successor, and between 0 and the least number
    for (const [low, high] of [
      [1, 1 + 2 ** -23],
      [-1.401298464324817e-45, 0],
      [0, 1.401298464324817e-45],
    ]) {
      const x = Float32Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? low : high));
      const codes = new Uint8Array(32);
      kernels.encodeNearest(x, [low, high], codes);
      expect([...codes.subarray(0, 2)]).toEqual([0, 1]);
    }
  });

  test("takes more than a tile", () => {
    const x = Float32Array.from({ length: 100_005 }, (_, i) => Math.sin(i));
    for (const size of [16, 256]) {
      const table = Float32Array.from({ length: size }, (_, i) => (2 * i) / size - 1);
      const [made, expected] = [new Uint8Array(x.length), new Uint8Array(x.length)];
      kernels.encodeNearest(x, table, made);
      encodeNearest(x, table, expected);
      expect(firstDifference(made, expected)).toBe(-1);
    }
  });
});
