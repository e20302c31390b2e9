import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { codeRangeOf, encoderOf, forEachScaleRun, perChannel, precisionOf, scaleLayout } from "#model/ops/quantization";
import { float32 } from "#model/tensor";

/** Which scale each element uses. */
function scaleOfEach(dims: number[], scale: number[], attributes: Record<string, number> = {}): number[] {
  const node = createNode("QuantizeLinear", ["x", "s"], ["y"], attributes);
  const used: number[] = [];
  forEachScaleRun(scaleLayout(node, dims, scale), (first, count, at, step) => {
    for (let i = 0; i < count; i++) used[first + i] = at + i * step;
  });
  return used;
}

describe("scales", () => {
  test("cover a tensor as a whole, along an axis, or in blocks", () => {
    expect(scaleOfEach([2, 2], [])).toEqual([0, 0, 0, 0]);
    expect(scaleOfEach([2, 3], [1], { axis: 0 })).toEqual([0, 0, 0, 0, 0, 0]);
    expect(scaleOfEach([2, 3], [3])).toEqual([0, 1, 2, 0, 1, 2]);
    expect(scaleOfEach([2, 3], [2], { axis: -2 })).toEqual([0, 0, 0, 1, 1, 1]);
    expect(scaleOfEach([2, 3], [2, 2], { axis: 1, block_size: 2 })).toEqual([0, 0, 1, 2, 2, 3]);
    expect(scaleOfEach([3, 2], [2, 2], { axis: 0, block_size: 2 })).toEqual([0, 1, 0, 1, 2, 3]);
  });

  test("that fit neither an axis nor blocks are refused", () => {
    expect(() => scaleOfEach([2, 3], [2])).toThrow(/scales \[2\] fit \[2, 3\] neither along axis 1/);
    expect(() => scaleOfEach([2, 3], [2, 3], { axis: 1, block_size: 2 })).toThrow(/blocks of 2/);
  });
});

test("codes span what their type can hold", () => {
  expect(codeRangeOf("int4")).toEqual([-8, 7]);
  expect(codeRangeOf("uint2")).toEqual([0, 3]);
  expect(codeRangeOf("int16")).toEqual([-32768, 32767]);
});

test("encoding rounds before it adds the zero point, saturates, and sends NaN to the lowest code", () => {
  const encode = encoderOf("int8");
  expect([-2.5, 0.5, 1.5, 300, -300, Number.NaN].map((x) => encode(x, 1))).toEqual([-1, 1, 3, 127, -128, -128]);
});

test("a precision is what its type can hold", () => {
  expect(precisionOf("float32")(0.1)).toBe(Math.fround(0.1));
  expect(precisionOf("float16")(2049)).toBe(2048);
  expect(precisionOf("bfloat16")(1e39)).toBe(Number.POSITIVE_INFINITY);
});

test("one scale serves every channel, other counts than one or all are refused", () => {
  expect([...perChannel(float32([], [2]), 3, 0)]).toEqual([2, 2, 2]);
  expect([...perChannel(undefined, 2, 7)]).toEqual([7, 7]);
  expect(() => perChannel(float32([2], [1, 2]), 3, 0)).toThrow(/2 scales or zero points for 3 channels/);
});
