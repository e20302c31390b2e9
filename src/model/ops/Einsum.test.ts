import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import type { Dim } from "#model/model";
import { Einsum } from "#model/ops/Einsum";

const shape = (equation: string, ...shapes: (readonly Dim[])[]): readonly Dim[] | undefined =>
  Einsum.infer({
    node: createNode(
      "Einsum",
      shapes.map((_, i) => `i${i}`),
      ["y"],
      { equation },
    ),
    opset: 12,
    inputs: shapes.map((dims) => ({ element: "float32", shape: dims })),
    inferGraph: () => [],
  })[0].shape;

describe("Einsum", () => {
  test("keeps symbols, and lets ones stretch", () => {
    expect(shape("bij,bjk->bik", ["N", 3, 4], [1, 4, "K"])).toEqual(["N", 3, "K"]);
    expect(shape("...i,...i->...", [2, 1, 5], [3, 5])).toEqual([2, 3]);
  });

  test("without an arrow gives the ellipsis and the letters that occur once, in ASCII order", () => {
    expect(shape("bA,bc", [2, 3], [2, 5])).toEqual([3, 5]);
    expect(shape("...ba", [7, 2, 3])).toEqual([7, 3, 2]);
  });

  test("refuses equations that do not describe their operands", () => {
    expect(() => shape("ij,jk", [2, 3])).toThrow(/2 terms for 1 operands/);
    expect(() => shape("ij->i", [2, 3, 4])).toThrow(/does not name 3 axes/);
    expect(() => shape("ij,jk->ik", [2, 3], [4, 5])).toThrow(/"j" is 3 and 4/);
    expect(() => shape("ij->ik", [2, 3])).toThrow(/no operand has "k"/);
  });

  test("counts one multiply-accumulate per combination of letters", () => {
    const node = createNode("Einsum", ["a", "b"], ["y"], { equation: "bij,bjk->bik" });
    const known = (...dims: number[]) => ({ element: "float32", shape: dims }) as const;
    expect(Einsum.cost?.(node, [known(2, 3, 4), known(2, 4, 5)], [known(2, 3, 5)])?.macs).toBe(2 * 3 * 4 * 5);
  });
});
