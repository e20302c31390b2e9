import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Engine } from "#kernels/engine";
import { firstDifference } from "#kernels/firstDifference";
import { availableVariants } from "#kernels/kernels";
import { signedGrids, signedScale } from "#kernels/signedScale/reference";
import { fastSignedScale } from "#kernels/signedScale/wasm";

function fitted(by: typeof signedScale, x: Float32Array, run: number, top: number, weights?: Float32Array) {
  const [codes, scales] = [new Uint8Array(x.length), new Float32Array(x.length / run)];
  by(x, 0, run, top, signedGrids(top), weights, 0, codes, scales);
  return { codes, scales };
}

test("the reference finds a grid that numbers lie on, the extreme at its lowest code", () => {
  const x = Float32Array.of(-4, -1, 0, 3, 2, -1.5, 1, 0.5, 0, 0, 0, 0, 1e-16, 0, 0, -1e-16);
  expect(fitted(signedScale, x, 4, 4)).toEqual({
    codes: Uint8Array.of(0, 3, 4, 7, 0, 7, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0),
    scales: Float32Array.of(1, -0.5, 0, 0),
  });
});

test.runIf(availableVariants()[0] !== "reference")(
  "four lanes find what the reference finds, whatever the numbers",
  () => {
    const fast = fastSignedScale(new Engine({ relaxed: false, bytes: 8192 }));
    const number = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
      fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround),
      fc.constantFrom(0, -0, 1, -1, 0.5, 1e-16, 1e-45),
    );
    const numbers = fc.oneof(
      fc.array(number, { minLength: 128, maxLength: 128 }),
      // runs of few values: lanes of one vector differ in whether there is anything to search
      fc
        .array(number, { minLength: 2, maxLength: 6 })
        .map((few) => Array.from({ length: 128 }, (_, i) => (i > 90 ? 0 : few[i % few.length]))),
    );
    const weights = fc.option(fc.float32Array({ min: 0, max: 100, noNaN: true, minLength: 128, maxLength: 128 }));
    fc.assert(
      fc.property(numbers, weights, fc.constantFrom(4, 16, 32), fc.constantFrom(4, 32), (given, w, run, top) => {
        const x = Float32Array.from(given);
        const [ours, reference] = [fast, signedScale].map((by) => fitted(by, x, run, top, w ?? undefined));
        expect(firstDifference(ours.scales, reference.scales)).toBe(-1);
        expect(firstDifference(ours.codes, reference.codes)).toBe(-1);
      }),
      { numRuns: 300 },
    );
  },
);
