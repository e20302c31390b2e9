import * as fc from "fast-check";
import { expect, test } from "vitest";
import { float16Code, float16Number } from "#math/float16";
import { decodeMinifloat, encodeMinifloat, float16 } from "#math/minifloat";

test("every float16 code stands for the number its table row says, and comes back", () => {
  for (let code = 0; code < 65536; code++) {
    const number = float16Number(code);
    if (!Object.is(number, decodeMinifloat(float16, code))) expect(number, `code ${code}`).toBe(Number.NaN);
    if (!Number.isNaN(number) && float16Code(number) !== code) expect(float16Code(number)).toBe(code);
  }
});

test("halfway between two float16 numbers is the even code, a hair more or less is the nearer one", () => {
  for (let code = 0; code < 0x7c00; code++) {
    const low = float16Number(code);
    const high = code + 1 === 0x7c00 ? 65536 : float16Number(code + 1);
    const middle = (low + high) / 2;
    const codes = [middle * (1 - 2 ** -23), middle, middle * (1 + 2 ** -23)].map(float16Code);
    const expected = [code, code + (code & 1), code + 1];
    if (codes.join() !== expected.join()) expect(codes, `between codes ${code} and ${code + 1}`).toEqual(expected);
  }
});

test("any float32 becomes the code that the definition gives", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true }), (x) => {
      expect(float16Code(x)).toBe(encodeMinifloat(float16, x, false));
    }),
    { numRuns: 2000 },
  );
  expect(float16Code(Number.NaN)).toBe(0x7e00);
});
