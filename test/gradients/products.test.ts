import { describe, expect, test } from "vitest";
import { differentiate } from "#grad/differentiate";
import { createNode } from "#model/attributes";
import { modelOf } from "../modelBuilder";
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

  test.each([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])("of FusedMatMul, transposed %i and %i, repeated over a batch", (transA, transB) =>
    checkGradient({
      nodes: [
        createNode(
          "FusedMatMul",
          ["a", "b"],
          ["y"],
          { transA, transB, alpha: { float: 0.5 } },
          { domain: "com.microsoft" },
        ),
      ],
      output: "y",
      inputs: { a: float64(transA ? [5, 3, 2] : [5, 2, 3], 1), b: float64(transB ? [4, 3] : [3, 4], 2) },
      dims: [5, 2, 4],
    }),
  );

  test.each<[string, number[][], number[]]>([
    [
      "bij,bjk->bik",
      [
        [2, 3, 4],
        [2, 4, 2],
      ],
      [2, 3, 2],
    ],
    [
      "ij,jk",
      [
        [2, 3],
        [3, 4],
      ],
      [2, 4],
    ],
    ["ij->ji", [[2, 3]], [3, 2]],
    ["ij->i", [[2, 3]], [2]],
    ["ij->", [[2, 3]], []],
    ["i,i->", [[3], [3]], []],
    ["i,j->ij", [[2], [3]], [2, 3]],
    [
      "...ij,...jk->...ik",
      [
        [2, 5, 2, 3],
        [5, 3, 2],
      ],
      [2, 5, 2, 2],
    ],
    [
      "bhid,bhjd->bhij",
      [
        [1, 2, 3, 2],
        [1, 2, 4, 2],
      ],
      [1, 2, 3, 4],
    ],
    ["ab,b,bc->ac", [[2, 3], [3], [3, 2]], [2, 2]],
    [
      "ij,kj->ik",
      [
        [2, 1],
        [4, 3],
      ],
      [2, 4],
    ],
    ["ij,k->i", [[2, 3], [4]], [2]],
  ])("of Einsum %s", (equation, shapes, dims) => {
    const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, float64(shape, i + 1)]));
    const nodes = [createNode("Einsum", Object.keys(inputs), ["y"], { equation })];
    return checkGradient({ nodes, output: "y", inputs, dims });
  });

  test.each([
    createNode("Einsum", ["a"], ["y"], { equation: "iij->j" }),
    createNode("FusedMatMul", ["a", "a"], ["y"], { transBatchA: 1 }, { domain: "com.microsoft" }),
  ])("of $op, in a form without a rule, is refused", async (node) => {
    const model = modelOf({
      inputs: { a: ["float64", [2, 2, 2]] },
      outputs: ["loss"],
      nodes: [node, createNode("ReduceSum", ["y"], ["loss"], { keepdims: 0 })],
    });
    await expect(differentiate(model, "loss", ["a"])).rejects.toMatchObject({ code: "model/unsupported-operator" });
  });
});
