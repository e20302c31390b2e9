import { describe, expect, test } from "vitest";
import { convert } from "#model/ops/convert";
import { type ElementType, float32, int64, tensor, toNumbers } from "#model/tensor";

const floats = (...values: number[]) => float32([values.length], values);
const numbers = (x: Parameters<typeof convert>[0], to: ElementType, options = {}) => [
  ...toNumbers(convert(x, to, options)),
];

describe("converting between element types", () => {
  test("integers keep their low bits, whatever their width", () => {
    expect(numbers(int64([4], [200, -1, 2n ** 40n + 3n, 2n ** 63n - 1n]), "int8")).toEqual([-56, -1, 3, -1]);
    expect(numbers(int64([3], [200, -1, 2n ** 53n + 1n]), "uint32")).toEqual([200, 4294967295, 1]);
    expect(numbers(tensor("int8", [3], Int8Array.of(-9, 8, 15)), "int4")).toEqual([7, -8, -1]);
    expect(numbers(tensor("int8", [3], Int8Array.of(-1, 4, 6)), "uint2")).toEqual([3, 0, 2]);
    expect(convert(tensor("uint64", [1], BigUint64Array.of(2n ** 64n - 1n)), "int64").data).toEqual(
      BigInt64Array.of(-1n),
    );
  });

  test("floating point truncates toward zero on the way to integers", () => {
    expect(numbers(floats(1.9, -1.9, 0.5), "int32")).toEqual([1, -1, 0]);
    expect(convert(floats(2 ** 60, -1.5), "int64").data).toEqual(BigInt64Array.of(2n ** 60n, -1n));
  });

  test("bool is whether it is not zero", () => {
    expect(numbers(floats(0, -0, 0.1, Number.NaN), "bool")).toEqual([0, 0, 1, 1]);
    expect(numbers(int64([2], [0, 2n ** 40n]), "bool")).toEqual([0, 1]);
  });

  test("float8 takes its largest number for what is beyond, unless told to say so", () => {
    expect(numbers(floats(1e6, -Infinity), "float8e4m3fn")).toEqual([448, -448]);
    expect(numbers(floats(1e6, -Infinity), "float8e4m3fn", { saturate: false })).toEqual([Number.NaN, Number.NaN]);
    expect(numbers(floats(1e6, 70000), "float16")).toEqual([Infinity, Infinity]);
  });

  test("float8e8m0 is a power of two, rounded as asked", () => {
    const x = floats(1.1, 1.5, 3, 0.25, 2 ** -130);
    expect(numbers(x, "float8e8m0")).toEqual([2, 2, 4, 0.25, 2 ** -127]);
    expect(numbers(x, "float8e8m0", { round: "down" })).toEqual([1, 1, 2, 0.25, 2 ** -127]);
    expect(numbers(x, "float8e8m0", { round: "nearest" })).toEqual([1, 2, 4, 0.25, 2 ** -127]);
    expect(numbers(floats(Number.NaN, 3e38, Infinity), "float8e8m0", { saturate: false }).slice(0, 1)).toEqual([
      Number.NaN,
    ]);
  });

  test("text is parsed and printed so that the number survives", () => {
    const x = floats(3.14, -0.1, 1e-7, 16777216, Infinity, Number.NaN);
    const text = convert(x, "string");
    expect(text.data).toEqual(["3.14", "-0.1", "1e-7", "16777216", "INF", "NaN"]);
    expect(convert(text, "float32").data).toEqual(x.data);
    expect(convert(tensor("string", [2], ["9007199254740993", " -5"]), "int64").data).toEqual(
      BigInt64Array.of(9007199254740993n, -5n),
    );
    expect(numbers(tensor("string", [4], ["1e3", "+INF", "-inf", "nan"]), "float32")).toEqual([
      1000,
      Infinity,
      -Infinity,
      Number.NaN,
    ]);
    expect(() => convert(tensor("string", [1], ["hello"]), "float32")).toThrow('"hello" is not a number');
  });

  test("complex numbers do not convert", () => {
    expect(() => convert(tensor("complex64", [1], Float32Array.of(1, 2)), "float32")).toThrow(/does not convert/);
  });
});
