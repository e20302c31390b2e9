import { describe, expect, test } from "vitest";
import { dtype, dtypes } from "#quant/dtype";
import { decodeNumber, encodeNumber, neighbours } from "#quant/encodeNumber";

const small = [...[...dtypes.keys()].filter((name) => dtype(name).bits <= 8), "q4.3", "q0.7", "uq5.3", "uq0.1"];

describe("fixed point", () => {
  test("q4.3 is a sign, four bits and three more behind the point", () => {
    expect(dtype("q4.3")).toEqual({
      name: "q4.3",
      bits: 8,
      kind: "fixed",
      signed: true,
      min: -16,
      max: 15.875,
      fractionBits: 3,
    });
    expect(dtype("uq5.3")).toMatchObject({ bits: 8, signed: false, min: 0, max: 31.875 });
  });

  test("has at most 16 bits, and at least one", () => {
    expect(dtype("q7.8").bits).toBe(16);
    expect(() => dtype("q8.8")).toThrow("q8.8 is not a number format");
    expect(() => dtype("uq0.0")).toThrow("uq0.0 is not a number format");
  });
});

test("what is no format is told with those that are", () => {
  expect(() => dtype("float7")).toThrow(
    expect.objectContaining({ code: "usage/scheme", hint: expect.stringContaining("float6e2m3") as string }) as Error,
  );
});

/** −0 is 0 here. */
const plus = (value: number | null): number | null => (value === null ? null : value + 0);

describe.each(small)("%s", (name) => {
  const row = dtype(name);
  const codes = Array.from({ length: 2 ** row.bits }, (_, code) => code);
  const values = codes.map((code) => decodeNumber(row, code)).filter(Number.isFinite);

  test("every finite number has a code that means it", () => {
    const back = values.map((value) => encodeNumber(row, value)).map((code) => decodeNumber(row, code ?? Number.NaN));
    expect(back.map(plus)).toEqual(values.map(plus));
  });

  test("its extremes are its table's", () => {
    expect([Math.min(...values), Math.max(...values)].map(plus)).toEqual([row.min, row.max].map(plus));
  });

  test("a number lies between its neighbours, and one of them is nearest", () => {
    for (let i = -40; i <= 40; i++) {
      const x = ((row.max - row.min) * i) / 61 + 0.001;
      const below = values.filter((value) => value <= x);
      const above = values.filter((value) => value >= x);
      const next = neighbours(row, x);
      expect(plus(next.below), `${x}`).toBe(below.length === 0 ? null : plus(Math.max(...below)));
      expect(plus(next.above), `${x}`).toBe(above.length === 0 ? null : plus(Math.min(...above)));
      const code = encodeNumber(row, x);
      if (code !== undefined && !Number.isNaN(decodeNumber(row, code)))
        expect([next.below, next.above].map(plus)).toContain(plus(decodeNumber(row, code)));
    }
  });
});
