import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Engine } from "#kernels/engine";
import { firstDifference } from "#kernels/firstDifference";
import { availableVariants } from "#kernels/kernels";
import { q4_0 } from "#kernels/q4_0/reference";
import { fastQ4_0 } from "#kernels/q4_0/wasm";
import { q8_0 } from "#kernels/q8_0/reference";
import { fastQ8_0 } from "#kernels/q8_0/wasm";

const kernels = [
  { name: "q4_0", bytes: 18, reference: q4_0, fast: fastQ4_0 },
  { name: "q8_0", bytes: 34, reference: q8_0, fast: fastQ8_0 },
];

test("the references put the extreme at an end of the codes", () => {
  const x = Float32Array.from({ length: 32 }, (_, i) => (i === 3 ? -8 : i === 20 ? 3 : 0));
  const [four, eight] = [new Uint8Array(18), new Uint8Array(34)];
  q4_0(x, four);
  expect([...four]).toEqual([0x00, 0x3c, 0x88, 0x88, 0x88, 0x80, 0xb8, ...Array.from({ length: 11 }, () => 0x88)]);
  q8_0(x, eight);
  expect([...eight].filter((byte) => byte !== 0)).toEqual([0x08, 0x2c, 0x81, 48]);
});

describe.runIf(availableVariants()[0] !== "reference").each(kernels)("$name", ({ bytes, reference, fast }) => {
  const kernel = fast(new Engine({ relaxed: false, bytes: 0 }));
  const both = (x: Float32Array) => {
    const [ours, expected] = [kernel, reference].map((by) => {
      const out = new Uint8Array((x.length / 32) * bytes);
      by(x, out);
      return out;
    });
    return firstDifference(ours, expected);
  };

  test("vectors make the bytes of the reference, whatever the numbers", () => {
    const number = fc.oneof(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: -254, max: 254 }).map((i) => i / 2),
      fc.constantFrom(0, -0, 127, -127, 8, -8, 1e-45, -1e-45, 1e-40),
    );
    const numbers = fc.oneof(
      fc.array(number, { minLength: 64, maxLength: 64 }),
      fc
        .array(number, { minLength: 1, maxLength: 5 })
        .map((few) => Array.from({ length: 64 }, (_, i) => few[i % few.length])),
    );
    fc.assert(
      fc.property(numbers, (x) => {
        expect(both(Float32Array.from(x))).toBe(-1);
      }),
      { numRuns: 500 },
    );
  });

  test("matrices longer than a tile are whole", () => {
    expect(both(Float32Array.from({ length: 32 * 1111 }, (_, i) => Math.sin(i * i)))).toBe(-1);
  });
});
