import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { interpret } from "#model/interpreter";
import type { Node } from "#model/model";
import { inferShapes } from "#model/shapes";
import { type ElementType, float32, fromNumbers, int64, type Tensor, toNumbers } from "#model/tensor";
import { constantGroups } from "#report/constantGroups";
import { decodedWeight } from "#report/decodedWeight";
import { functionOf, type ModelInit, modelOf } from "../../test/modelBuilder";

const ms = { domain: "com.microsoft" };
const some = (type: ElementType, dims: readonly number[], modulus = 7, shift = -3): Tensor =>
  fromNumbers(
    type,
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 5 + 1) % modulus) + shift),
  );
const identity = (n: number): Tensor =>
  float32(
    [n, n],
    Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
  );

/** The first weight's numbers, rounded for comparison. */
async function decode(init: ModelInit): Promise<{ shape: readonly number[]; values: number[] | undefined }> {
  const model = modelOf({ opset: 21, ...init });
  const group = constantGroups(model, await inferShapes(model)).find(({ role }) => role === "weight");
  if (group === undefined) throw new Error("no weight");
  const values = await decodedWeight(model, group);
  return { shape: group.stored.shape, values: values && [...values].map((value) => Math.fround(value)) };
}

/** What the nodes give for the rows of an identity: the weight itself. */
async function product(
  nodes: readonly Node[],
  weights: Readonly<Record<string, Tensor>>,
  x: Tensor,
): Promise<number[]> {
  const model = modelOf({ inputs: { x: [x.type, x.dims] }, outputs: ["y"], nodes, weights });
  return [...toNumbers((await interpret(model)).run({ x }).y)].map((value) => Math.fround(value));
}

describe("the numbers that a quantized weight stands for", () => {
  test.each<[string, readonly Node[], Readonly<Record<string, Tensor>>, readonly number[]]>([
    [
      "DequantizeLinear, by channel",
      [createNode("DequantizeLinear", ["w_q", "s", "z"], ["d"], { axis: 1 }), createNode("MatMul", ["x", "d"], ["y"])],
      { w_q: some("int8", [4, 3]), s: float32([3], [0.5, 1, 2]), z: some("int8", [3]) },
      [4, 3],
    ],
    [
      "Cast, Sub, Mul, Reshape",
      [
        createNode("Cast", ["w_q"], ["f"], { to: 1 }),
        createNode("Sub", ["f", "z"], ["c"]),
        createNode("Mul", ["c", "s"], ["m"]),
        createNode("Reshape", ["m", "dims"], ["d"]),
        createNode("MatMul", ["x", "d"], ["y"]),
      ],
      {
        w_q: some("uint4", [8, 2], 16, 0),
        z: float32([8, 1], [1, 2, 3, 4, 5, 6, 7, 8]),
        s: float32([8, 1], [1, 1, 1, 1, 2, 2, 2, 2]),
        dims: int64([2], [4, 4]),
      },
      [4, 4],
    ],
    [
      "MatMulNBits, with packed zero points and a last short block",
      [createNode("MatMulNBits", ["x", "q", "s", "z"], ["y"], { K: 20, N: 3, bits: 4, block_size: 16 }, ms)],
      {
        q: some("uint8", [3, 2, 8], 256, 0),
        s: float32([3, 2], [0.5, 1, 2, 3, 4, 5]),
        z: some("uint8", [3, 1], 256, 0),
      },
      [20, 3],
    ],
    [
      "MatMulNBits without zero points, 8 bits",
      [createNode("MatMulNBits", ["x", "q", "s"], ["y"], { K: 16, N: 2, bits: 8, block_size: 16 }, ms)],
      { q: some("uint8", [2, 1, 16], 251, 0), s: float32([2, 1], [0.5, 2]) },
      [16, 2],
    ],
  ])("%s", async (_, nodes, weights, shape) => {
    const x = identity(shape[0]);
    const found = await decode({ inputs: { x: ["float32", x.dims] }, outputs: ["y"], nodes, weights });
    expect(found.shape).toEqual(shape);
    expect(found.values).toEqual(await product(nodes, weights, x));
  });

  test("a table in blocks, read row by row", async () => {
    const nodes = [
      createNode(
        "GatherBlockQuantized",
        ["t", "x", "s", "z"],
        ["y"],
        { bits: 4, block_size: 16, quantize_axis: 1 },
        ms,
      ),
    ];
    const weights = { t: some("uint8", [3, 16], 256, 0), s: some("float32", [3, 2]), z: some("uint8", [3, 1], 256, 0) };
    const found = await decode({ inputs: { x: ["int64", [3]] }, outputs: ["y"], nodes, weights });
    expect(found.shape).toEqual([3, 32]);
    expect(found.values).toEqual(await product(nodes, weights, int64([3], [0, 1, 2])));
  });

  test("operators on codes: filters first, columns last", async () => {
    const conv = createNode("QLinearConv", ["x", "xs", "xz", "w", "s", "z", "xs", "xz"], ["y"]);
    const activation = { xs: float32([], [1]), xz: fromNumbers("uint8", [], [0]) };
    const filters = await decode({
      inputs: { x: ["uint8", [1, 1, 2, 2]] },
      outputs: ["y"],
      nodes: [conv],
      weights: {
        ...activation,
        w: some("int8", [2, 1, 1, 2]),
        s: float32([2], [1, 10]),
        z: fromNumbers("int8", [2], [0, 1]),
      },
    });
    expect(filters.values).toEqual([-2, 3, 0, -20]);
    const gemm = (transB: number) => createNode("QGemm", ["x", "xs", "xz", "w", "s", "z"], ["y"], { transB }, ms);
    const weights = {
      ...activation,
      w: some("int8", [2, 2]),
      s: float32([2], [1, 10]),
      z: fromNumbers("int8", [2], [0, 0]),
    };
    const inputs = { x: ["uint8", [1, 2]] } as const;
    expect((await decode({ inputs, outputs: ["y"], nodes: [gemm(0)], weights })).values).toEqual([-2, 30, 1, -10]);
    expect((await decode({ inputs, outputs: ["y"], nodes: [gemm(1)], weights })).values).toEqual([-2, 3, 10, -10]);
  });

  test("an integer product, scaled afterwards", async () => {
    const found = await decode({
      inputs: { x: ["float32", [1, 2]] },
      outputs: ["y"],
      nodes: [
        createNode("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        createNode("Mul", ["s", "w_scale"], ["both"]),
        createNode("MatMulInteger", ["q", "w_q", "z"], ["i"]),
        createNode("Cast", ["i"], ["f"], { to: 1 }),
        createNode("Mul", ["f", "both"], ["y"]),
      ],
      weights: { w_q: some("int8", [2, 2]), w_scale: float32([2], [1, 10]) },
    });
    expect(found.values).toEqual([-2, 30, 1, -10]);
  });

  test("recurrent weights, by direction and gate", async () => {
    const found = await decode({
      inputs: { x: ["float32", [1, 1, 2]] },
      outputs: ["y"],
      nodes: [
        createNode(
          "DynamicQuantizeLSTM",
          ["x", "W", "R", "", "", "", "", "", "Ws", "Wz", "Rs", "Rz"],
          ["y"],
          { hidden_size: 1, direction: "bidirectional" },
          ms,
        ),
      ],
      weights: {
        W: some("int8", [2, 2, 4]),
        R: some("int8", [2, 1, 4]),
        Ws: float32([2, 4], [1, 2, 3, 4, 10, 20, 30, 40]),
        Wz: some("int8", [2, 4], 1, 0),
        Rs: float32([2], [1, 1]),
        Rz: some("int8", [2], 1, 0),
      },
    });
    const codes = toNumbers(some("int8", [2, 2, 4]));
    const scales = [1, 2, 3, 4, 10, 20, 30, 40];
    expect(found.values).toEqual([...codes].map((code, i) => code * scales[(i < 8 ? 0 : 4) + (i % 4)]));
  });

  test("a codebook in a function of the model", async () => {
    const lookup = functionOf(
      "Decode",
      ["c", "b"],
      ["w"],
      [createNode("Cast", ["c"], ["i"], { to: 7 }), createNode("Gather", ["b", "i"], ["w"])],
    );
    const found = await decode({
      inputs: { x: ["float32", [1, 2]] },
      outputs: ["y"],
      functions: [lookup],
      nodes: [
        createNode("Decode", ["codes", "book"], ["w"], {}, { domain: "local" }),
        createNode("MatMul", ["x", "w"], ["y"]),
      ],
      weights: { codes: fromNumbers("uint4", [2, 2], [3, 0, 1, 2]), book: float32([4], [0.5, -1, 7, 9]) },
    });
    expect(found.values).toEqual([9, 0.5, -1, 7]);
  });

  test("what is too large to decode in memory, or unknown, is left", async () => {
    const nodes = [
      createNode("MatMulBnb4", ["x", "q", "s"], ["y"], { K: 16, N: 4, block_size: 16, quant_type: 1 }, ms),
    ];
    const weights = { q: some("uint8", [32], 256, 0), s: float32([4], [1, 1, 1, 1]) };
    expect(await decode({ inputs: { x: ["float32", [1, 16]] }, outputs: ["y"], nodes, weights })).toEqual({
      shape: [16, 4],
      values: undefined,
    });
    const model = modelOf({
      inputs: { x: ["float32", [1, 4]] },
      outputs: ["y"],
      nodes: [createNode("DequantizeLinear", ["w", "s"], ["d"]), createNode("MatMul", ["x", "d"], ["y"])],
      weights: { w: some("int8", [4, 4]), s: float32([], [1]) },
    });
    const [group] = constantGroups(model, await inferShapes(model));
    expect(await decodedWeight(model, group, 15)).toBeUndefined();
    expect(await decodedWeight(model, group, 16)).toBeDefined();
  });
});
