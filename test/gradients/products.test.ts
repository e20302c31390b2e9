import { describe, test } from "vitest";
import { createNode } from "#model/attributes";
import { checkGradient, float64 } from "./checkGradient";

describe("a matrix product", () => {
  test.each([
    [
      [2, 3],
      [3, 4],
      [2, 4],
    ],
    [
      [5, 2, 3],
      [3, 4],
      [5, 2, 4],
    ],
    [
      [5, 2, 3],
      [5, 3, 4],
      [5, 2, 4],
    ],
    [
      [2, 3],
      [5, 3, 4],
      [5, 2, 4],
    ],
    [
      [2, 1, 2, 3],
      [4, 3, 2],
      [2, 4, 2, 2],
    ],
    [[3], [3, 4], [4]],
    [[2, 3], [3], [2]],
    [[3], [3], []],
    [[5, 2, 3], [3], [5, 2]],
    [[3], [5, 3, 4], [5, 4]],
  ])("of %j and %j", (a, b, dims) =>
    checkGradient({
      nodes: [createNode("MatMul", ["a", "b"], ["y"])],
      output: "y",
      inputs: { a: float64(a, 1), b: float64(b, 2) },
      dims,
    }),
  );

  test.each([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])("of Gemm, transposed %i and %i, with a scaled bias", (transA, transB) =>
    checkGradient({
      nodes: [
        createNode("Gemm", ["a", "b", "c"], ["y"], { transA, transB, alpha: { float: 0.5 }, beta: { float: 2 } }),
      ],
      output: "y",
      inputs: {
        a: float64(transA ? [3, 2] : [2, 3], 1),
        b: float64(transB ? [4, 3] : [3, 4], 2),
        c: float64([4], 3),
      },
      dims: [2, 4],
    }),
  );
});
