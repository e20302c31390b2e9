import { describe, expect, test } from "vitest";
import { broadcastOffsets, offsetsOf, ramp, stridesOf, take } from "#model/ops/strides";
import { float32, tensor } from "#model/tensor";

describe("strides and offsets", () => {
  test("row-major strides", () => {
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
    expect(stridesOf([])).toEqual([]);
  });

  test("offsets are sums of one term per axis, and one term outside makes the sum outside", () => {
    expect([...offsetsOf([[0, 10], ramp(3, 1)])]).toEqual([0, 1, 2, 10, 11, 12]);
    expect([
      ...offsetsOf([
        [0, -1],
        [-1, 5],
      ]),
    ]).toEqual([-1, 5, -1, -1]);
    expect([...offsetsOf([])]).toEqual([0]);
    expect([...offsetsOf([[0, 1], []])]).toEqual([]);
  });

  test("broadcasting is a walk with steps of zero", () => {
    expect([...(broadcastOffsets([2, 1], [2, 3]) ?? [])]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(broadcastOffsets([2, 3], [2, 3])).toBe(undefined);
  });

  test("taking works for every kind of element, and fills what lies outside", () => {
    expect(take(float32([3], [1, 2, 3]), [2], [2, -1]).data).toEqual(Float32Array.of(3, 0));
    expect(take(tensor("string", [2], ["a", "b"]), [3], [1, -1, 0]).data).toEqual(["b", "", "a"]);
    expect(take(tensor("int64", [1], BigInt64Array.of(2n ** 60n)), [1], [0]).data).toEqual(BigInt64Array.of(2n ** 60n));
    expect(take(tensor("complex64", [2], Float32Array.of(1, 2, 3, 4)), [1], [1]).data).toEqual(Float32Array.of(3, 4));
  });

  test("a tensor beyond the limit is refused before anything is allocated", () => {
    expect(() => take(float32([1], [1]), [2 ** 31, 4], [])).toThrow(/needs/);
  });
});
