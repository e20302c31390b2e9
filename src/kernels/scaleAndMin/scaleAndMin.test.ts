import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Engine } from "#kernels/engine";
import { firstDifference } from "#kernels/firstDifference";
import { availableVariants } from "#kernels/kernels";
import { scaleAndMin } from "#kernels/scaleAndMin/reference";
import { fastScaleAndMin } from "#kernels/scaleAndMin/wasm";

const search = { top: 3, numerators: Float32Array.of(2.5, 2.75, 3, 3.25, 3.5), absolute: false };

function fitted(by: typeof scaleAndMin, x: Float32Array, run: number, weights: Float32Array, absolute = false) {
  const runs = x.length / run;
  const [codes, scales, minima] = [new Uint8Array(x.length), new Float32Array(runs), new Float32Array(runs)];
  by(x, 0, run, weights, { ...search, absolute }, codes, scales, minima);
  return { codes, scales, minima };
}

test("the reference finds a grid that numbers lie on, and codes positive ones from 0", () => {
  const x = Float32Array.of(-1, -0.5, 0, 0.5, 4, 6, 4, 6, 7, 7, 7, 7, -7, -7, -7, -7);
  expect(fitted(scaleAndMin, x, 4, new Float32Array(16).fill(1))).toEqual({
    codes: Uint8Array.of(0, 1, 2, 3, 2, 3, 2, 3, 3, 3, 3, 3, 0, 0, 0, 0),
    scales: Float32Array.of(0.5, 2, Math.fround(7 / 3), 0),
    minima: Float32Array.of(1, -0, -0, 7),
  });
});

test.runIf(availableVariants()[0] !== "reference")(
  "four lanes find what the reference finds, whatever the numbers",
  () => {
    const fast = fastScaleAndMin(new Engine({ relaxed: false, bytes: 8192 }));
    const number = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround),
      fc.constantFrom(0, -0, 1, -1, 0.5, 1e-45, 3e38),
    );
    const numbers = fc.oneof(
      fc.array(number, { minLength: 128, maxLength: 128 }),
      // runs of few values: lanes of one vector differ in whether there is anything to search
      fc
        .array(number, { minLength: 2, maxLength: 6 })
        .map((few) => Array.from({ length: 128 }, (_, i) => few[i % few.length])),
      number.map((one) => Array.from({ length: 128 }, (_, i) => (i < 40 ? one : i / 7))),
    );
    const weights = fc.float32Array({ min: 0, max: 100, noNaN: true, minLength: 128, maxLength: 128 });
    fc.assert(
      fc.property(numbers, weights, fc.constantFrom(4, 16, 32), fc.boolean(), (given, w, run, absolute) => {
        const x = Float32Array.from(given);
        const [ours, reference] = [fast, scaleAndMin].map((by) => fitted(by, x, run, w, absolute));
        expect(firstDifference(ours.scales, reference.scales)).toBe(-1);
        expect(firstDifference(ours.minima, reference.minima)).toBe(-1);
        expect(firstDifference(ours.codes, reference.codes)).toBe(-1);
      }),
      { numRuns: 300 },
    );
  },
);
