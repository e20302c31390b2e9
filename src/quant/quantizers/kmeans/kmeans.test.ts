import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix, tensorScheme } from "#quant/quantizers/index";
import { storedBits } from "#quant/storedBits";

const x = { values: Float32Array.of(1, 1.2, 5, 5.2, /* */ -1, -3, -1.5, -3.5), rows: 2, columns: 4 };
const decoded = (scheme: string, importance?: Float32Array): number[] =>
  Array.from(dequantize(quantizeMatrix(x, scheme, { importance, rng: createRng(1) })));
const near = (values: readonly number[]) => values.map((v) => expect.closeTo(v, 5));

describe("shared values", () => {
  test("are of the tensor, of a row, or of a group", () => {
    expect(decoded("kmeans:4")).toEqual(near([1.1, 1.1, 5.1, 5.1, -1.25, -3.25, -1.25, -3.25]));
    expect(decoded("kmeans:2/channel")).toEqual(near([1.1, 1.1, 5.1, 5.1, -1.25, -3.25, -1.25, -3.25]));
    expect(decoded("kmeans:2/group:2")).toEqual(near([...x.values]));
  });

  test("are counted with the codes: a table of four numbers for each row of a matrix", () => {
    const q = quantizeMatrix({ ...x, rows: 1, columns: 8 }, "kmeans:4/channel", { rng: createRng(1) });
    expect(storedBits(q)).toMatchObject({ codes: 16, tables: 128, scales: 0 });
  });

  test("go where errors matter, which may be said of columns or of elements", () => {
    // the second column matters three times as much as the first
    const columns = Float32Array.of(1, 3, 1, 1);
    expect(decoded("kmeans:2/channel", columns).slice(0, 2)).toEqual(near([1.15, 1.15]));
    expect(decoded("kmeans:2/channel", Float32Array.of(...columns, ...columns))).toEqual(
      decoded("kmeans:2/channel", columns),
    );
  });

  test("meet fewer distinct values than there are entries exactly", () => {
    const few = { values: Float32Array.of(3, 3, -2, 0.5, 3, -2), rows: 1, columns: 6 };
    for (const scheme of ["kmeans:4", "kmeans:4/init:linear", "kmeans:4/init:random"])
      expect([...dequantize(quantizeMatrix(few, scheme, { rng: createRng(1) }))], scheme).toEqual([...few.values]);
  });

  test("may be more than 256", () => {
    const values = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i));
    const q = quantizeMatrix({ values, rows: 1, columns: 2000 }, "kmeans:1000", { rng: createRng(1) });
    expect(q.codes).toBeInstanceOf(Uint16Array);
    expect(q.decoding).toMatchObject({ bits: 10, entries: 1000 });
    expect(dequantize(q).every((v, i) => Math.abs(v - values[i]) < 0.005)).toBe(true);
  });
});

describe("importance", () => {
  test.each([
    ["of another length", Float32Array.of(1, 2, 3), "give 4, one a column, or 8, one an element"],
    ["that is negative", Float32Array.of(1, -2, 3, 4), "finite and not negative"],
    ["that is no number", Float32Array.of(1, Number.NaN, 3, 4), "finite and not negative"],
  ])("%s is refused", (_, importance, hint) => {
    const refusal = expect.objectContaining({ code: "usage/argument", hint: expect.stringContaining(hint) });
    expect(() => decoded("kmeans:2", importance)).toThrow(refusal);
  });

  test("of nothing is importance of all", () => {
    expect(decoded("kmeans:4", new Float32Array(8))).toEqual(decoded("kmeans:4"));
  });
});

test("schemes that do not exist are refused", () => {
  const wrong = [
    "kmeans",
    "kmeans:1",
    "kmeans:70000",
    "kmeans:4.5",
    "kmeans:16/init:best",
    "kmeans:16/init",
    "kmeans:16/channel/group:4",
  ];
  for (const scheme of wrong)
    expect(() => tensorScheme(scheme), scheme).toThrow(expect.objectContaining({ code: "usage/scheme" }));
});
