import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import type { Node } from "#model/model";
import { inferShapes } from "#model/shapes";
import { type ElementType, float32, fromNumbers, type Tensor } from "#model/tensor";
import { constantGroups } from "#report/constantGroups";
import { lints } from "#report/lints";
import { type ModelInit, modelOf } from "../../test/modelBuilder";

const ms = { domain: "com.microsoft" };
const ones = (type: ElementType, dims: readonly number[]): Tensor =>
  fromNumbers(
    type,
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 1),
  );

async function found(init: ModelInit, ir = 10): Promise<string[]> {
  const model = { ...modelOf(init), irVersion: ir };
  const shapes = await inferShapes(model);
  const all = lints(model, shapes, constantGroups(model, shapes));
  for (const { code, message, hint } of all) {
    expect(code).toMatch(/^lint\//);
    expect(message.length).toBeGreaterThan(10);
    expect(hint).toBeDefined();
  }
  return all.map(({ code }) => code);
}

const packed = (attributes: Record<string, number>): ModelInit => ({
  inputs: { x: ["float32", [1, 16]] },
  outputs: ["y"],
  nodes: [createNode("MatMulNBits", ["x", "q", "s"], ["y"], { K: 16, N: 4, block_size: 16, ...attributes }, ms)],
  weights: { q: ones("uint8", [4, 1, 8]), s: ones("float32", [4, 1]) },
});

const scalars = {
  s: float32([], [1]),
  z: fromNumbers("uint8", [], [0]),
  z8: fromNumbers("int8", [], [0]),
  z32: fromNumbers("int32", [], [0]),
};
const q = (from: string, to: string, zero = "z"): Node[] => [
  createNode("QuantizeLinear", [from, "s", zero], [`${to}_q`]),
  createNode("DequantizeLinear", [`${to}_q`, "s", zero], [to]),
];
/** x quantized → Conv with weights of this type → quantized. */
const conv = (weights: ElementType, more: { readonly bias?: Node; readonly activation?: Node } = {}): ModelInit => ({
  inputs: { x: ["float32", [1, 4, 4, 4]] },
  outputs: ["y"],
  nodes: [
    ...q("x", "xd"),
    createNode("DequantizeLinear", ["w", "s"], ["wd"]),
    ...(more.bias === undefined ? [] : [more.bias]),
    createNode("Conv", more.bias === undefined ? ["xd", "wd"] : ["xd", "wd", "bd"], ["c"]),
    ...(more.activation === undefined ? [] : [more.activation]),
    ...q(more.activation === undefined ? "c" : "a", "y"),
  ],
  weights: {
    ...scalars,
    w: ones(weights, [4, 4, 1, 1]),
    b: ones("int32", [4]),
    bs: ones("float32", [4]),
    bz: ones("int32", [4]),
  },
});

describe("traps of models that load without complaint", () => {
  test.each<[string, ModelInit, readonly string[]]>([
    ["a clean int8 convolution has none", conv("int8"), []],
    ["a clean 4-bit product has none", packed({ bits: 4, accuracy_level: 4 }), []],
    ["MatMulNBits without accuracy_level", packed({ bits: 4 }), ["lint/accuracy-level"]],
    ["MatMulNBits of 3 bits", packed({ bits: 3, accuracy_level: 4 }), ["lint/no-kernel"]],
    ["u8 × u8", conv("uint8"), ["lint/unsigned-weights"]],
    [
      "a bias with a zero point",
      conv("int8", { bias: createNode("DequantizeLinear", ["b", "bs", "bz"], ["bd"], { axis: 0 }) }),
      ["lint/bias-zero-point"],
    ],
    [
      "an operator without integer kernel between DQ and Q",
      conv("int8", { activation: createNode("Tanh", ["c"], ["a"]) }),
      ["lint/decoded-every-run"],
    ],
  ])("%s", async (_, init, codes) => {
    expect(await found(init)).toEqual(codes);
  });

  test("Q and DQ around an operator that computes in float", async () => {
    const nodes = [...q("x", "xd"), createNode("Tanh", ["xd"], ["t"]), ...q("t", "y")];
    expect(await found({ inputs: { x: ["float32", [4]] }, outputs: ["y"], nodes, weights: scalars })).toEqual([
      "lint/unfused",
    ]);
  });

  test("int8 activations that two layers read, beside others that one reads", async () => {
    const convolution = (from: string, to: string) => createNode("Conv", [from, "wd"], [to]);
    const nodes = (zero: string) => [
      ...q("x", "xd", zero),
      createNode("DequantizeLinear", ["w", "s"], ["wd"]),
      convolution("xd", "c"),
      ...q("c", "cd", zero),
      convolution("cd", "k"),
      ...q("k", "kd", zero),
      createNode("Add", ["kd", "cd"], ["a"]),
      ...q("a", "y", zero),
    ];
    const init = (zero: string): ModelInit => ({
      inputs: { x: ["float32", [1, 4, 4, 4]] },
      outputs: ["y"],
      nodes: nodes(zero),
      weights: { ...scalars, w: ones("int8", [4, 4, 1, 1]) },
    });
    expect(await found(init("z8"))).toEqual(["lint/signed-activations"]);
    expect(await found(init("z"))).toEqual([]);
  });

  test("a QOperator convolution of s8 activations and u8 weights", async () => {
    const node = createNode("QLinearConv", ["x", "s", "z8", "w", "s", "z", "s", "z8"], ["y"]);
    const init = {
      inputs: { x: ["int8", [1, 4, 4, 4]] },
      outputs: ["y"],
      nodes: [node],
      weights: { ...scalars, w: ones("uint8", [4, 4, 1, 1]) },
    } as const;
    expect(await found(init)).toEqual(["lint/no-kernel"]);
  });

  test("a weight in blocks before MatMul, whose activations a runtime quantizes by itself", async () => {
    const nodes = [
      createNode("DequantizeLinear", ["w", "ws"], ["d"], { axis: 0, block_size: 16 }),
      createNode("MatMul", ["x", "d"], ["y"]),
    ];
    expect(
      await found({
        inputs: { x: ["float32", [1, 32]] },
        outputs: ["y"],
        nodes,
        weights: { w: ones("uint4", [32, 4]), ws: ones("float32", [2, 4]) },
      }),
    ).toEqual(["lint/blocked-product"]);
  });

  test("weights that are small on disk only, beside others still in float", async () => {
    const nodes = [
      createNode("Cast", ["a"], ["f"], { to: 1 }),
      createNode("Mul", ["f", "s"], ["ad"]),
      createNode("MatMul", ["x", "ad"], ["h"]),
      createNode("MatMul", ["h", "b"], ["y"]),
    ];
    const weights = { a: ones("int8", [32, 32]), b: ones("float32", [32, 32]), s: scalars.s };
    expect(await found({ inputs: { x: ["float32", [1, 32]] }, outputs: ["y"], nodes, weights })).toEqual([
      "lint/decoded-at-load",
      "lint/float-weights",
    ]);
  });

  test("float64, unread tensors, and files newer than the runtime", async () => {
    const nodes = [createNode("MatMul", ["x", "w"], ["y"])];
    const init = {
      inputs: { x: ["float64", [1, 4]] },
      outputs: ["y"],
      nodes,
      weights: { w: ones("float64", [4, 4]), unread: ones("float32", [1024]) },
    } as const;
    expect(await found(init)).toEqual(["lint/unread", "lint/float64"]);
    expect(
      await found({
        inputs: { x: ["float32", [4]] },
        outputs: ["y"],
        nodes: [createNode("Relu", ["x"], ["y"])],
        opset: 27,
      }),
    ).toEqual(["lint/too-new"]);
    expect(
      await found({ inputs: { x: ["float32", [4]] }, outputs: ["y"], nodes: [createNode("Relu", ["x"], ["y"])] }, 14),
    ).toEqual(["lint/too-new"]);
  });
});
