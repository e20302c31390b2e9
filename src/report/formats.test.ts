import { describe, expect, test } from "vitest";
import { dtypes } from "#quant/dtype";
import { type Encoding, formats } from "#report/formats";
import { formatsText } from "#report/formatsText";

const held = (number: number, name: string): Encoding =>
  formats({ numbers: [number], names: [name] }).numbers[0].encodings[0];

describe("formats", () => {
  test("are all in the table, with the block formats", () => {
    const report = formats();
    for (const name of dtypes.keys()) expect(report.formats.map((format) => format.name)).toContain(name);
    expect(report.blocks).toContainEqual({
      name: "nvfp4",
      element: "float4e2m1",
      scales: [
        { dtype: "float8e4m3fn", sharedBy: 16 },
        { dtype: "float32", sharedBy: "tensor" },
      ],
      bitsPerWeight: 4.5,
    });
    expect(report.blocks.find(({ name }) => name === "mx4")?.bitsPerWeight).toBe(4);
  });

  test("the lecture's float32 0.265625 is 1.0625 · 2^−2", () => {
    const [{ normalized, encodings }] = formats({ numbers: [0.265625], names: ["float32"] }).numbers;
    expect(normalized).toEqual({ fraction: 1.0625, exponent: -2 });
    expect(encodings[0]).toMatchObject({ bits: "0|01111101|00010000000000000000000", error: 0, relativeError: 0 });
  });

  test("the lecture's fixed point 00010.110 is 2.75", () => {
    expect(held(2.75, "q4.3")).toMatchObject({ bits: "00010.110", value: 2.75, below: 2.75, above: 2.75 });
  });

  test("a number between two has both, and the distance to the nearer", () => {
    expect(held(0.1, "float8e4m3fn")).toEqual({
      format: "float8e4m3fn",
      code: 0x1d,
      bits: "0|0011|101",
      value: 0.1015625,
      error: 0.1015625 - 0.1,
      relativeError: expect.closeTo(0.015625, 12) as number,
      below: 0.09375,
      above: 0.1015625,
      saturated: false,
    });
  });

  test("a number beyond the last saturates, and infinity does where there is none", () => {
    expect(held(1000, "float8e4m3fn")).toMatchObject({ value: 448, below: 448, above: null, saturated: true });
    expect(held(Number.POSITIVE_INFINITY, "float8e4m3fn")).toMatchObject({ value: 448, error: null, saturated: true });
    expect(held(Number.POSITIVE_INFINITY, "float4e2m1")).toMatchObject({ value: 6, saturated: true });
    expect(held(Number.NEGATIVE_INFINITY, "float16").value).toBe(Number.NEGATIVE_INFINITY);
  });

  test("what a format cannot hold is null", () => {
    expect(held(Number.NaN, "int8")).toMatchObject({ code: null, bits: null, value: null, saturated: false });
    expect(held(-1, "float1e1m0").code).toBeNull();
    expect(held(Number.NaN, "float4e2m1").code).toBeNull();
  });

  test("a format of up to 8 bits asked for by name lists its codes", () => {
    const [fp4, half] = formats({ names: ["fp4", "float16"] }).formats;
    expect(fp4.values?.map(({ value }) => value * 12)).toEqual([
      0, 0.0625, 8, 12, 4, 6, 2, 3, -0, -0.0625, -8, -12, -4, -6, -2, -3,
    ]);
    expect(half.values).toBeUndefined();
  });

  test("what is no format is told", () => {
    expect(() => formats({ names: ["float9"] })).toThrow("float9 is not a number format");
    expect(() => formats({ names: [] })).toThrow("no format is named");
  });
});

describe("their text", () => {
  test("is the table", () => {
    const text = formatsText(formats(), { width: 100 });
    expect(text).toMatch(/^float8e4m3fn +8 +1 4 3 +7 +448 +2\^−6 +2\^−9 +NaN$/m);
    expect(text).toMatch(/^int1 … int16, int32 +n /m);
    expect(text).toMatch(/^mxfp4 +float4e2m1 +4\.25 +float8e8m0 per 32$/m);
  });

  test("shows how a number is held", () => {
    const text = formatsText(formats({ numbers: [0.1] }), { width: 100 });
    expect(text).toContain("0.1 = 1.6 · 2^−4");
    expect(text).toMatch(/^float8e4m3fn +0\|0011\|101 +0\.1015625 +1\.6 % +0\.09375 +0\.101563$/m);
    expect(text).toMatch(/^float32 +0\|01111011\|10011001100110011001101 +0\.100000001 +/m);
  });

  test("lists the numbers of a format", () => {
    const text = formatsText(formats({ names: ["float4e2m1"] }), { width: 80 });
    expect(text).toContain("float4e2m1: its 16 codes");
    expect(text).toMatch(/^ +0\|11\|1 +6 +1\|11\|1 +−6$/m);
  });

  test.each([80, 100])("keeps to %d columns", (width) => {
    const names = ["float8e4m3fn", "int4", "nf4", "q4.3"];
    const texts = [
      formatsText(formats({ numbers: [-2.7, Number.NaN, 1e9], names }), { width }),
      formatsText(formats({ names: ["float6e2m3"] }), { width }),
    ];
    const lines = texts.flatMap((text) => text.split("\nNext")[0].split("\n"));
    expect(lines.filter((line) => line.length > width)).toEqual([]);
  });
});
