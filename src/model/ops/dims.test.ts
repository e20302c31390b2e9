import { describe, expect, test } from "vitest";
import {
  addDims,
  divideDims,
  isStatic,
  mergeDims,
  multiplyDims,
  productOfDims,
  quotientOfDims,
  subtractDims,
} from "#model/ops/dims";

describe("arithmetic of dims", () => {
  test("numbers compute, and neutral elements keep a symbol", () => {
    expect([addDims(2, 3), addDims("N", 0), addDims("N", 1)]).toEqual([5, "N", null]);
    expect([subtractDims("N", "N"), subtractDims("N", "M"), subtractDims("N", 0)]).toEqual([0, null, "N"]);
    expect([multiplyDims("N", 1), multiplyDims("N", 0), multiplyDims("N", 2)]).toEqual(["N", 0, null]);
    expect([divideDims(7, 2), divideDims(-7, 2), divideDims("N", 1), divideDims(7, 0)]).toEqual([3, -3, "N", null]);
  });

  test("a product with an empty axis is empty whatever else is unknown", () => {
    expect(productOfDims([null, 0, "N"])).toBe(0);
  });

  test("equal symbols cancel in a quotient", () => {
    expect(quotientOfDims(["N", "S", 64], ["N", 16])).toBe(null);
    expect(quotientOfDims(["N", "S", 64], ["N", 64])).toBe("S");
    expect(quotientOfDims(["N", "S", 64], ["N", "S", 4])).toBe(16);
    expect(quotientOfDims(["N", "N"], ["N"])).toBe("N");
  });

  test("what does not divide, or divides by nothing, is not known", () => {
    expect(quotientOfDims([7], [2])).toBe(null);
    expect(quotientOfDims([0], [0])).toBe(null);
    expect(quotientOfDims([4], [null])).toBe(null);
  });

  test("two sources agree on the more exact answer, and on none where they contradict", () => {
    expect([mergeDims(3, "N"), mergeDims(null, "N"), mergeDims(3, 4)]).toEqual([3, "N", null]);
    expect([isStatic([1, 2]), isStatic([1, "N"]), isStatic(undefined)]).toEqual([true, false, false]);
  });
});
