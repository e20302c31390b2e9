import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import type { Dim } from "#model/model";
import { MatMul } from "#model/ops/MatMul";
import { float32, type Tensor } from "#model/tensor";

const node = createNode("MatMul", ["a", "b"], ["y"]);
const multiply = (a: Tensor, b: Tensor): Tensor =>
  (MatMul.forward as NonNullable<typeof MatMul.forward>)({ node, opset: 13, inputs: [a, b], runGraph: () => [] })[0];
const shape = (a: readonly Dim[], b: readonly Dim[]): readonly Dim[] | undefined =>
  MatMul.infer({
    node,
    opset: 13,
    inputs: [
      { element: "float32", shape: a },
      { element: "float32", shape: b },
    ],
    inferGraph: () => [],
  })[0].shape;

describe("MatMul", () => {
  test("of 64-bit integers is exact and wraps", () => {
    const a: Tensor = { type: "int64", dims: [1, 2], data: BigInt64Array.of(2n ** 62n, 3n) };
    const b: Tensor = { type: "int64", dims: [2, 1], data: BigInt64Array.of(2n, 2n ** 61n + 1n) };
    expect(multiply(a, b).data).toEqual(BigInt64Array.of(BigInt.asIntN(64, 2n ** 63n + 3n * (2n ** 61n + 1n))));
  });

  test("of 32-bit integers wraps where a float64 sum would lose bits", () => {
    const a: Tensor = { type: "uint32", dims: [2], data: Uint32Array.of(4294967295, 4294967295) };
    const b: Tensor = { type: "uint32", dims: [2], data: Uint32Array.of(4294967295, 3) };
    expect(multiply(a, b)).toEqual({ type: "uint32", dims: [], data: Uint32Array.of(4294967294) });
  });

  test("sums in float64", () => {
    const tiny = float32([3, 1], [1, 1, -16777216]);
    expect(multiply(float32([1, 3], [16777216, 1, 1]), tiny).data).toEqual(Float32Array.of(1));
  });

  test("a vector is a row on the left and a column on the right, and leaves no axis", () => {
    expect(shape([4], ["N", 4, 5])).toEqual(["N", 5]);
    expect(shape(["N", 3, 4], [4])).toEqual(["N", 3]);
    expect(shape([4], [4])).toEqual([]);
    expect(shape(["N", 1, 3, 4], [7, 4, 5])).toEqual(["N", 7, 3, 5]);
  });

  test("of matrices that do not fit is refused by name", () => {
    expect(() => multiply(float32([1, 2], [1, 2]), float32([1, 2], [1, 2]))).toThrow(/MatMul of \[1, 2\] and \[1, 2\]/);
  });
});
