import { describe, expect, test } from "vitest";
import { broadcastDims, broadcastShapes } from "#model/ops/broadcast";

describe("broadcasting", () => {
  test("shapes are aligned at their last axis and ones stretch", () => {
    expect(broadcastShapes([2, 1, 4], [3, 1])).toEqual([2, 3, 4]);
    expect(broadcastShapes([], [5])).toEqual([5]);
    expect(broadcastShapes([0, 3], [1])).toEqual([0, 3]);
  });

  test("shapes that do not fit are refused by name", () => {
    expect(() => broadcastShapes([2, 3], [2])).toThrow(/\[2, 3\] and \[2\] do not broadcast/);
  });

  test("symbols survive ones and themselves, and yield to numbers", () => {
    expect(broadcastDims(["N", 1], [4])).toEqual(["N", 4]);
    expect(broadcastDims(["N"], ["N"])).toEqual(["N"]);
    expect(broadcastDims(["N"], [4])).toEqual([4]);
    expect(broadcastDims(["N"], ["M"])).toEqual([null]);
    expect(broadcastDims([4], undefined)).toBe(undefined);
    expect(broadcastDims([null, null], [1])).toEqual([null, null]);
  });
});
