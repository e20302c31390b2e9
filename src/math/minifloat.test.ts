import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as minifloat from "#math/minifloat";
import { decodeMinifloat, encodeMinifloat, exponentOf, hasSign, maxFinite, type Minifloat } from "#math/minifloat";

const formats = Object.entries(minifloat).filter(
  (entry): entry is [string, Minifloat] => typeof entry[1] === "object" && entry[1].bits <= 16,
);

const numbers = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -600, max: 600, noNaN: true }),
);

describe.each(formats)("%s", (_, format) => {
  const codes = Array.from({ length: 2 ** format.bits }, (_, code) => code);
  const finite = codes.filter((code) => Number.isFinite(decodeMinifloat(format, code)));

  test("every finite number has its code", () => {
    expect(finite.filter((code) => encodeMinifloat(format, decodeMinifloat(format, code)) !== code)).toEqual([]);
  });

  test("the largest finite number is the largest", () => {
    expect(maxFinite(format)).toBe(Math.max(...finite.map((code) => decodeMinifloat(format, code))));
  });

  test("a number becomes the nearest, and one too large the largest", () => {
    const values = finite.map((code) => decodeMinifloat(format, code)).sort((a, b) => a - b);
    fc.assert(
      fc.property(numbers, (any) => {
        const x = hasSign(format) ? any : Math.max(Math.abs(any), 2 ** -100);
        const near = decodeMinifloat(format, encodeMinifloat(format, x));
        const at = values.findIndex((value) => value >= x);
        const around = at < 0 ? values.slice(-1) : values.slice(Math.max(0, at - 1), at + 1);
        expect(Math.abs(near - x)).toBe(Math.min(...around.map((value) => Math.abs(value - x))));
      }),
      { numRuns: 100 },
    );
  });

  test("NaN stays one where the format has it, and is 0 or the least number where not", () => {
    const decoded = decodeMinifloat(format, encodeMinifloat(format, Number.NaN));
    if (codes.some((code) => Number.isNaN(decodeMinifloat(format, code)))) expect(decoded).toBeNaN();
    else expect(decoded).toBe(decodeMinifloat(format, 0));
  });

  test("beyond the largest number lie its infinity, its NaN, or nothing", () => {
    const beyond = decodeMinifloat(format, encodeMinifloat(format, Number.POSITIVE_INFINITY, false));
    const expected = { ieee: Number.POSITIVE_INFINITY, fn: Number.NaN, fnuz: Number.NaN, finite: maxFinite(format) };
    expect(beyond).toBe(expected[format.special]);
    expect(decodeMinifloat(format, encodeMinifloat(format, Number.POSITIVE_INFINITY))).toBe(maxFinite(format));
  });
});

test("float32 is the engine's own", () => {
  const view = new DataView(new ArrayBuffer(4));
  fc.assert(
    fc.property(fc.nat(0xffffffff), (code) => {
      view.setUint32(0, code);
      const value = view.getFloat32(0);
      expect(decodeMinifloat(minifloat.float32, code)).toBe(value);
      if (!Number.isNaN(value)) expect(encodeMinifloat(minifloat.float32, value, false)).toBe(code);
    }),
  );
});

test("scales without a sign have no 0", () => {
  expect(encodeMinifloat(minifloat.float8e8m0, 0)).toBe(255);
  expect(encodeMinifloat(minifloat.float8e8m0, -1)).toBe(255);
  expect(encodeMinifloat(minifloat.float1e1m0, 0)).toBe(0);
});

test("exponents are those of the greatest power of two below", () => {
  expect([1, 1.99, 2, 0.75, 3.4e38, 2 ** -149].map(exponentOf)).toEqual([0, 0, 1, -1, 127, -149]);
});
