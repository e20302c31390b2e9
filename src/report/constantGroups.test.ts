import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { inferShapes } from "#model/shapes";
import { type ElementType, float32, fromNumbers, int64, type Tensor } from "#model/tensor";
import { weight } from "#model/weights";
import { constantGroups } from "#report/constantGroups";
import { findConstants } from "#report/graph/constants";
import { functionOf, graphOf, type ModelInit, modelOf } from "../../test/modelBuilder";

const filled = (type: ElementType, dims: readonly number[]): Tensor =>
  fromNumbers(
    type,
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i % 2),
  );
const ms = { domain: "com.microsoft" };

/** One line a group: name, role, scheme, shape, members. */
async function groupsOf(init: ModelInit): Promise<string[]> {
  const model = modelOf(init);
  const groups = constantGroups(model, await inferShapes(model));
  const members = groups.flatMap((group) => group.members);
  expect(new Set(members).size).toBe(members.length);
  expect(members.map(({ name }) => name).sort()).toEqual(
    findConstants(model)
      .stored.map(({ name }) => name)
      .sort(),
  );
  return groups.map(
    ({ name, role, stored, members: own, tied }) =>
      `${name} ${role} ${stored.text} [${stored.shape.join()}] ${own.map((each) => each.name).join("+")}${tied ? " tied" : ""}`,
  );
}

describe("stored tensors that are one weight together", () => {
  test("codes, scale and zero point behind DequantizeLinear; the activation's parameters apart", async () => {
    expect(
      await groupsOf({
        inputs: { x: ["float32", [1, 3, 8, 8]] },
        outputs: ["y"],
        nodes: [
          createNode("QuantizeLinear", ["x", "xs", "xz"], ["q"]),
          createNode("DequantizeLinear", ["q", "xs", "xz"], ["d"]),
          createNode("DequantizeLinear", ["conv.w_quantized", "conv.w_scale", "conv.w_zero_point"], ["w"], { axis: 0 }),
          createNode("DequantizeLinear", ["conv.b_quantized", "conv.b_scale"], ["conv.b"], { axis: 0 }),
          createNode("Conv", ["d", "w", "conv.b"], ["y"]),
        ],
        weights: {
          xs: float32([], [0.1]),
          xz: filled("uint8", []),
          "conv.w_quantized": filled("int8", [4, 3, 3, 3]),
          "conv.w_scale": filled("float32", [4]),
          "conv.w_zero_point": filled("int8", [4]),
          "conv.b_quantized": filled("int32", [4]),
          "conv.b_scale": filled("float32", [4]),
        },
      }),
    ).toEqual([
      "xs parameters float32 [] xs+xz",
      "conv.w weight int8/channel [4,3,3,3] conv.w_quantized+conv.w_scale+conv.w_zero_point",
      "conv.b weight int32/channel [4] conv.b_quantized+conv.b_scale",
    ]);
  });

  test("codes decoded by Cast, Sub, Mul and Reshape are groups along the inner axis", async () => {
    const decode = (codes: string, rows: readonly number[], dims: readonly number[]): ModelInit => ({
      inputs: { x: ["float32", [1, dims[0]]] },
      outputs: ["y"],
      nodes: [
        createNode("Cast", [codes], ["f"], { to: 1 }),
        createNode("Sub", ["f", "zero"], ["s"]),
        createNode("Mul", ["s", "scale"], ["m"]),
        createNode("Reshape", ["m", "dims"], ["w_mul"]),
        createNode("MatMul", ["x", "w_mul"], ["y"]),
      ],
      weights: {
        [codes]: filled("int4", rows),
        zero: filled("float32", [rows[0], 1]),
        scale: filled("float32", [rows[0], 1]),
        dims: int64([2], dims),
      },
    });
    expect(await groupsOf(decode("w_q", [16, 32], [8, 64]))).toEqual([
      "w weight int4/group:32 [8,64] w_q+zero+scale+dims",
    ]);
    expect(await groupsOf(decode("w_q", [8, 64], [8, 64]))).toEqual([
      "w weight int4/channel [8,64] w_q+zero+scale+dims",
    ]);
  });

  test("bytes that a table takes apart, padded to whole groups, are codes and no codebook", async () => {
    const bytes = (bits: number, signed: boolean): Tensor =>
      float32(
        [256, 8 / bits],
        Array.from({ length: (256 * 8) / bits }, (_, i) => {
          const code = (Math.floor((i * bits) / 8) >>> ((i * bits) % 8)) & (2 ** bits - 1);
          return signed && code >= 2 ** (bits - 1) ? code - 2 ** bits : code;
        }),
      );
    const decode = (table: Tensor, stored: number): ModelInit => ({
      inputs: { x: ["float32", [1, 10]] },
      outputs: ["y"],
      nodes: [
        createNode("Cast", ["w_q"], ["i"], { to: 6 }),
        createNode("Gather", ["table", "i"], ["g"]),
        createNode("Reshape", ["g", "view"], ["f"]),
        createNode("Mul", ["f", "scale"], ["m"]),
        createNode("Reshape", ["m", "padded"], ["p"]),
        createNode("Slice", ["p", "from", "to", "axis"], ["w_slice"]),
        createNode("MatMul", ["x", "w_slice"], ["y"]),
      ],
      weights: {
        w_q: filled("uint8", [stored]),
        table,
        view: int64([4], [1, 3, 4, 6]),
        scale: filled("float32", [1, 3, 1, 6]),
        padded: int64([2], [12, 6]),
        from: int64([1], [0]),
        to: int64([1], [10]),
        axis: int64([1], [0]),
      },
    });
    const rest = "w_q+table+view+scale+padded+from+to+axis";
    expect(await groupsOf(decode(bytes(4, false), 36))).toEqual([`w weight uint4/group:4 [10,6] ${rest}`]);
    expect(await groupsOf(decode(bytes(4, true), 36))).toEqual([`w weight int4/group:4 [10,6] ${rest}`]);
    expect(await groupsOf(decode(bytes(2, true), 18))).toEqual([`w weight int2/group:4 [10,6] ${rest}`]);
    const other = float32(
      [256, 2],
      Array.from({ length: 512 }, (_, i) => i),
    );
    expect(await groupsOf(decode(other, 36))).toEqual([`w weight codebook:256x2 [10,6] ${rest}`]);
  });

  test("a scale for each row of each direction is one for each channel", async () => {
    expect(
      await groupsOf({
        inputs: { x: ["float32", [1, 1, 3]] },
        outputs: ["y"],
        nodes: [
          createNode("Cast", ["W_q"], ["f"], { to: 1 }),
          createNode("Mul", ["f", "s"], ["W_mul"]),
          createNode("GRU", ["x", "W_mul", "R"], ["y"], { hidden_size: 2, direction: "bidirectional" }),
        ],
        weights: { W_q: filled("int8", [2, 6, 3]), s: filled("float32", [2, 6, 1]), R: filled("float32", [2, 6, 2]) },
      }),
    ).toEqual(["W weight int8/channel [2,6,3] W_q+s", "R weight float32 [2,6,2] R"]);
  });

  test("one scale for a whole weight, and numbers that are only stored in half precision", async () => {
    expect(
      await groupsOf({
        inputs: { x: ["float32", [1, 4]] },
        outputs: ["z"],
        nodes: [
          createNode("DequantizeLinear", ["a.q", "a.scale"], ["a.dq"]),
          createNode("MatMul", ["x", "a.dq"], ["y"]),
          createNode("Cast", ["b16"], ["b"], { to: 1 }),
          createNode("MatMul", ["y", "b"], ["z"]),
        ],
        weights: { "a.q": filled("int8", [4, 4]), "a.scale": float32([], [1]), b16: filled("float16", [4, 2]) },
      }),
    ).toEqual(["a weight int8/tensor [4,4] a.q+a.scale", "b16 weight float16 [4,2] b16"]);
  });

  test("blocks along an axis, in DequantizeLinear and in ONNX Runtime's own operators", async () => {
    expect(
      await groupsOf({
        inputs: { x: ["float32", [1, 64]], ids: ["int64", [1]] },
        outputs: ["y", "z", "t"],
        nodes: [
          createNode("DequantizeLinear", ["b_q", "b_s", "b_z"], ["b_dq"], { axis: 0, block_size: 32 }),
          createNode("MatMul", ["x", "b_dq"], ["y"]),
          createNode("MatMulNBits", ["x", "w_Q4", "w_scales"], ["z"], { K: 64, N: 8, bits: 4, block_size: 32 }, ms),
          createNode(
            "GatherBlockQuantized",
            ["t_Q8", "ids", "t_scales", "t_zp"],
            ["t"],
            { bits: 8, block_size: 16 },
            ms,
          ),
        ],
        weights: {
          b_q: filled("uint4", [64, 8]),
          b_s: filled("float32", [2, 8]),
          b_z: filled("uint4", [2, 8]),
          w_Q4: filled("uint8", [8, 2, 16]),
          w_scales: filled("float32", [8, 2]),
          t_Q8: filled("uint8", [10, 32]),
          t_scales: filled("float32", [10, 2]),
          t_zp: filled("uint8", [10, 2]),
        },
      }),
    ).toEqual([
      "b weight uint4/group:32 [64,8] b_q+b_s+b_z",
      "w weight int4/group:32 [64,8] w_Q4+w_scales",
      "t weight uint8/group:16 [10,32] t_Q8+t_scales+t_zp",
    ]);
  });

  test("integer products, whose weight scale comes after them", async () => {
    expect(
      await groupsOf({
        inputs: { x: ["float32", [1, 4]] },
        outputs: ["y"],
        nodes: [
          createNode("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
          createNode("Mul", ["s", "w_scale"], ["both"]),
          createNode("MatMulInteger", ["q", "w_quantized", "z", "w_zero"], ["i"]),
          createNode("Cast", ["i"], ["f"], { to: 1 }),
          createNode("Mul", ["f", "both"], ["y"]),
        ],
        weights: { w_quantized: filled("int8", [4, 3]), w_scale: filled("float32", [3]), w_zero: filled("int8", []) },
      }),
    ).toEqual(["w weight int8/channel [4,3] w_quantized+w_scale+w_zero"]);
  });

  test("operators on codes, with their bias and the scales of what goes in and out", async () => {
    expect(
      await groupsOf({
        inputs: { q: ["uint8", [1, 1, 4, 4]], h: ["float32", [2, 1, 3]] },
        outputs: ["y", "l"],
        nodes: [
          createNode("QLinearConv", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz", "bias"], ["y"]),
          createNode(
            "DynamicQuantizeLSTM",
            ["h", "W", "R", "", "", "", "", "", "Ws", "Wz", "Rs", "Rz"],
            ["l"],
            { hidden_size: 2 },
            ms,
          ),
        ],
        weights: {
          xs: float32([], [1]),
          xz: filled("uint8", []),
          w: filled("int8", [2, 1, 3, 3]),
          ws: filled("float32", [2]),
          wz: filled("int8", [2]),
          ys: float32([], [2]),
          yz: filled("uint8", []),
          bias: filled("int32", [2]),
          W: filled("int8", [1, 3, 8]),
          R: filled("int8", [1, 2, 8]),
          Ws: filled("float32", [1]),
          Wz: filled("int8", [1]),
          Rs: filled("float32", [1, 8]),
          Rz: filled("int8", [1, 8]),
        },
      }),
    ).toEqual([
      "xs parameters float32 [] xs+xz",
      "w weight int8/channel [2,1,3,3] w+ws+wz",
      "ys parameters float32 [] ys+yz",
      "bias weight int32 [2] bias",
      "W weight int8/tensor [1,3,8] W+Ws+Wz",
      "R weight int8/channel [1,2,8] R+Rs+Rz",
    ]);
  });

  test("codebooks, looked up by standard operators or in a function of the model", async () => {
    const lookup = functionOf(
      "Decode",
      ["codes", "book"],
      ["w"],
      [createNode("Cast", ["codes"], ["i"], { to: 7 }), createNode("Gather", ["book", "i"], ["w"])],
    );
    expect(
      await groupsOf({
        inputs: { x: ["float32", [1, 4]] },
        outputs: ["y", "z"],
        functions: [lookup],
        nodes: [
          createNode("Cast", ["a_codes"], ["a_i"], { to: 7 }),
          createNode("Gather", ["a_book", "a_i"], ["a"]),
          createNode("MatMul", ["x", "a"], ["y"]),
          createNode("Decode", ["b_codes", "b_book"], ["b"], {}, { domain: "local" }),
          createNode("MatMul", ["x", "b"], ["z"]),
        ],
        weights: {
          a_codes: filled("uint4", [4, 4]),
          a_book: filled("float32", [8]),
          b_codes: filled("uint4", [4, 4]),
          b_book: filled("float32", [5]),
        },
      }),
    ).toEqual(["a weight codebook:8 [4,4] a_codes+a_book", "b weight codebook:5 [4,4] b_codes+b_book"]);
  });

  test("two nibbles a byte, taken apart by bit operations, are 4-bit codes", async () => {
    expect(
      await groupsOf({
        inputs: { x: ["float32", [1, 4]] },
        outputs: ["y"],
        nodes: [
          createNode("BitwiseAnd", ["p", "fifteen"], ["low"]),
          createNode("BitShift", ["p", "four"], ["high"], { direction: "RIGHT" }),
          createNode("Concat", ["low", "high"], ["codes"], { axis: 1 }),
          createNode("Cast", ["codes"], ["f"], { to: 1 }),
          createNode("Mul", ["f", "scale"], ["w"]),
          createNode("MatMul", ["x", "w"], ["y"]),
        ],
        weights: {
          p: filled("uint8", [4, 3]),
          fifteen: filled("uint8", [1]),
          four: filled("uint8", [1]),
          scale: filled("float32", [4, 1]),
        },
      }),
    ).toEqual(["p weight uint4/channel [4,6] p+fifteen+four+scale"]);
  });

  test("a table that two layers read, one of them transposed, is tied", async () => {
    expect(
      await groupsOf({
        inputs: { ids: ["int64", [2]] },
        outputs: ["y"],
        nodes: [
          createNode("Gather", ["table", "ids"], ["x"]),
          createNode("Transpose", ["table"], ["t"]),
          createNode("MatMul", ["x", "t"], ["y"]),
        ],
        weights: { table: filled("float32", [8, 4]) },
      }),
    ).toEqual(["table weight float32 [8,4] table tied"]);
  });

  test("a scale that several weights share is counted once, with the first", async () => {
    const nodes = ["a", "b"].flatMap((name, i) => [
      createNode("DequantizeLinear", [`${name}_q`, "scale"], [`${name}_dq`]),
      createNode("MatMul", [i === 0 ? "x" : "y0", `${name}_dq`], [`y${i}`]),
    ]);
    const weights = { a_q: filled("int8", [4, 4]), b_q: filled("int8", [4, 4]), scale: float32([], [1]) };
    expect(await groupsOf({ inputs: { x: ["float32", [1, 4]] }, outputs: ["y1"], nodes, weights })).toEqual([
      "a weight int8/tensor [4,4] a_q+scale",
      "b weight int8/tensor [4,4] b_q",
    ]);
  });

  test("Constant nodes, subgraphs and functions hold tensors too, and some nobody reads", async () => {
    const constant = (name: string, value: Tensor) =>
      createNode("Constant", [], [name], { value: { tensor: weight("", value) } });
    const branch = graphOf({
      outputs: ["r"],
      nodes: [createNode("MatMul", ["x", "inner"], ["m"]), createNode("Add", ["m", "outer"], ["r"])],
      weights: { inner: filled("float32", [4, 4]) },
    });
    const fn = functionOf(
      "Bias",
      ["v"],
      ["o"],
      [constant("k", float32([1], [2])), createNode("Add", ["v", "k"], ["o"])],
    );
    expect(
      await groupsOf({
        inputs: { x: ["float32", [1, 4]], c: ["bool", []] },
        outputs: ["y"],
        functions: [fn],
        nodes: [
          constant("outer", float32([4], [1, 2, 3, 4])),
          createNode("If", ["c"], ["i"], {
            then_branch: { graph: branch },
            else_branch: { graph: graphOf({ outputs: ["e"], nodes: [createNode("Identity", ["x"], ["e"])] }) },
          }),
          createNode("Bias", ["i"], ["y"], {}, { domain: "local" }),
        ],
        weights: { unread: filled("float32", [3]) },
      }),
    ).toEqual([
      "inner weight float32 [4,4] inner",
      "outer weight float32 [4] outer",
      "k weight float32 [1] k",
      "unread weight float32 [3] unread",
    ]);
  });

  test("shapes and indices are integers, not weights", async () => {
    expect(
      await groupsOf({
        inputs: { x: ["float32", [4, 4]] },
        outputs: ["z"],
        nodes: [createNode("Reshape", ["x", "dims"], ["y"]), createNode("Gather", ["y", "which"], ["z"])],
        weights: { dims: int64([1], [16]), which: int64([2], [1, 2]) },
      }),
    ).toEqual(["dims integers int64 [1] dims", "which integers int64 [2] which"]);
  });

  test("a long chain of constants takes no longer than its nodes, and no deeper stack", async () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) => createNode("Neg", [`c${i}`], [`c${i + 1}`]));
    const model = modelOf({
      inputs: { x: ["float32", [1]] },
      outputs: ["y"],
      nodes: [...nodes, createNode("Add", ["x", "c20000"], ["y"])],
      weights: { c0: float32([1], [1]) },
    });
    expect(constantGroups(model, new Map()).map(({ name }) => name)).toEqual(["c0"]);
  });
});
