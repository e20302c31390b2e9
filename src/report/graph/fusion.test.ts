import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import type { Node } from "#model/model";
import { inferShapes } from "#model/shapes";
import { type ElementType, float32, fromNumbers, type Tensor } from "#model/tensor";
import { evaluatedAtLoad, findConstants } from "#report/graph/constants";
import { executionSteps } from "#report/graph/steps";
import { modelOf } from "../../../test/modelBuilder";

const filled = (type: ElementType, dims: readonly number[], value = 1): Tensor =>
  fromNumbers(
    type,
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => value),
  );

const weights = {
  s: float32([], [0.1]),
  z: filled("uint8", [], 0),
  z7: filled("uint8", [], 7),
  s6: float32([], [6 / 255]),
  w: filled("int8", [4, 4, 1, 1]),
  w2: filled("int8", [4, 4]),
  ws: float32([], [0.5]),
  b: filled("int32", [4]),
  bf: filled("float32", [4]),
  zero: float32([], [0]),
  six: float32([], [6]),
  w32: filled("float32", [4, 4, 1, 1]),
  m32: filled("float32", [4, 4]),
  wb: filled("uint4", [4, 4]),
  wbs: filled("float32", [2, 4]),
};
const q = (x: string, y: string, zero = "z", scale = "s"): Node => createNode("QuantizeLinear", [x, scale, zero], [y]);
const dq = (x: string, y: string, zero = "z", scale = "s"): Node =>
  createNode("DequantizeLinear", [x, scale, zero], [y]);
const dqWeight = createNode("DequantizeLinear", ["w", "ws"], ["wd"]);
const dqBias = createNode("DequantizeLinear", ["b", "ws"], ["bd"]);

/** One line a step: what it reads and writes, with its kernel and arithmetic. */
async function stepsOf(
  nodes: readonly Node[],
  outputs = ["y"],
  shape: readonly number[] = [1, 4, 2, 2],
): Promise<string[]> {
  const model = modelOf({ inputs: { x: ["float32", shape], c: ["float32", shape] }, outputs, nodes, weights });
  const shapes = await inferShapes(model);
  const constants = findConstants(model, { evaluates: evaluatedAtLoad });
  return executionSteps(model.graph, 21, shapes, constants).map(({ node, fused, arithmetic, reads, writes }) => {
    const how = arithmetic.kind === "float" ? `float${arithmetic.bits}` : `int${arithmetic.bits.join("×")}`;
    const kernel = fused === undefined ? "" : ` ${fused.kind}`;
    return `${writes.join()} = ${node.op}(${reads.map(({ value }) => value).join()})${kernel} ${how}`;
  });
}

describe("what a runtime makes one kernel of", () => {
  test("a convolution between DQ and Q reads and writes codes; its Q, DQ and weights are no steps", async () => {
    const nodes = [
      q("x", "xq"),
      dq("xq", "xd"),
      dqWeight,
      dqBias,
      createNode("Conv", ["xd", "wd", "bd"], ["o"]),
      q("o", "oq"),
      dq("oq", "y"),
    ];
    expect(await stepsOf(nodes)).toEqual([
      "xq = QuantizeLinear(x,s,z) float32",
      "oq = Conv(xq,s,z,w,ws,b) linear int8×8",
      "y = DequantizeLinear(oq,s,z) float32",
    ]);
  });

  test.each([
    ["Relu, where the lowest code is zero", createNode("Relu", ["o"], ["r"]), "z", "s", true],
    ["Relu, where codes go below zero", createNode("Relu", ["o"], ["r"]), "z7", "s", false],
    ["Clip to [0, 6], where codes end at 6", createNode("Clip", ["o", "zero", "six"], ["r"]), "z", "s6", true],
    ["Clip to [0, 6], where codes reach 25.5", createNode("Clip", ["o", "zero", "six"], ["r"]), "z", "s", false],
    ["Clip to a bound that is not known", createNode("Clip", ["o", "zero", "c"], ["r"]), "z", "s6", false],
  ])("the quantizer performs %s: %s", async (_, clamp, zero, scale, fused) => {
    const nodes = [
      q("x", "xq"),
      dq("xq", "xd"),
      dqWeight,
      createNode("Conv", ["xd", "wd"], ["o"]),
      clamp,
      q("r", "rq", zero, scale),
      dq("rq", "y", zero, scale),
    ];
    const steps = await stepsOf(nodes);
    expect(steps.some((step) => step.startsWith("rq = Conv("))).toBe(fused);
  });

  test.each([
    ["its bias is float", [createNode("Conv", ["xd", "wd", "bf"], ["o"])]],
    ["its result has another reader", [createNode("Conv", ["xd", "wd"], ["o"]), createNode("Neg", ["o"], ["n"])]],
  ])("a convolution computes in float where %s", async (_, conv) => {
    const nodes = [q("x", "xq"), dq("xq", "xd"), dqWeight, ...conv, q("o", "oq"), dq("oq", "y")];
    const steps = await stepsOf(nodes, conv.length > 1 ? ["y", "n"] : ["y"]);
    expect(steps).toContain("oq = QuantizeLinear(o,s,z) float32");
    expect(steps.some((step) => /Conv.*int8/.test(step))).toBe(false);
  });

  test("a matrix product may leave its sums as floats", async () => {
    const nodes = [
      q("x", "xq"),
      dq("xq", "xd"),
      createNode("DequantizeLinear", ["w2", "ws"], ["wd"]),
      createNode("MatMul", ["xd", "wd"], ["y"]),
    ];
    expect(await stepsOf(nodes, ["y"], [3, 4])).toEqual([
      "xq = QuantizeLinear(x,s,z) float32",
      "y = MatMul(xq,s,z,w2,ws) linear int8×8",
    ]);
  });

  test("a weight in blocks is decoded inside the product", async () => {
    const nodes = [
      createNode("DequantizeLinear", ["wb", "wbs"], ["wd"], { axis: 0, block_size: 2 }),
      createNode("MatMul", ["x", "wd"], ["y"]),
    ];
    expect(await stepsOf(nodes, ["y"], [3, 4])).toEqual(["y = MatMul(x,wb,wbs) blocks int4×8"]);
  });

  test("codes are moved only where scale and zero point stay", async () => {
    const moved = (zero: string): Node[] => [
      q("x", "xq"),
      dq("xq", "xd"),
      createNode("Flatten", ["xd"], ["o"]),
      q("o", "oq", zero),
      dq("oq", "y", zero),
    ];
    expect(await stepsOf(moved("z"))).toContain("oq = Flatten(xq,s,z) moves int8×8");
    expect(await stepsOf(moved("z7"))).toContain("o = Flatten(xd) float32");
  });

  test("a DequantizeLinear with another reader runs for that one", async () => {
    const nodes = [
      q("x", "xq"),
      dq("xq", "xd"),
      dqWeight,
      createNode("Conv", ["xd", "wd"], ["o"]),
      q("o", "oq"),
      dq("oq", "y"),
      createNode("Neg", ["xd"], ["n"]),
    ];
    const steps = await stepsOf(nodes, ["y", "n"]);
    expect(steps).toContain("xd = DequantizeLinear(xq,s,z) float32");
    expect(steps).toContain("oq = Conv(xq,s,z,w,ws) linear int8×8");
  });

  test("in float, normalization, sum and activation are part of the convolution, once its other operand is there", async () => {
    const nodes = [
      createNode("Conv", ["x", "w32"], ["a"]),
      createNode("BatchNormalization", ["a", "bf", "bf", "bf", "bf"], ["n"]),
      createNode("Conv", ["x", "w32"], ["k"]),
      createNode("Sigmoid", ["k"], ["k2"]),
      createNode("Add", ["n", "k2"], ["sum"]),
      createNode("Relu", ["sum"], ["y"]),
    ];
    expect(await stepsOf(nodes)).toEqual(["k2 = Conv(x,w32) float float32", "y = Conv(x,w32,k2) float float32"]);
  });

  test("a sum of two convolutions is done by one of them", async () => {
    const nodes = [
      createNode("Conv", ["x", "w32"], ["a"]),
      createNode("Conv", ["c", "w32"], ["k"]),
      createNode("Add", ["a", "k"], ["y"]),
    ];
    expect(await stepsOf(nodes)).toEqual(["k = Conv(c,w32) float32", "y = Conv(x,w32,k) float float32"]);
  });

  test("an integer product is scaled where it is computed", async () => {
    const nodes = [
      createNode("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]),
      createNode("MatMulInteger", ["xq", "w2", "xz"], ["i"]),
      createNode("Cast", ["i"], ["f"], { to: 1 }),
      createNode("Mul", ["xs", "ws"], ["both"]),
      createNode("Mul", ["f", "both"], ["p"]),
      createNode("Add", ["p", "bf"], ["y"]),
    ];
    expect(await stepsOf(nodes, ["y"], [3, 4])).toEqual([
      "xq,xs,xz = DynamicQuantizeLinear(x) float32",
      "both = Mul(xs,ws) float32",
      "y = MatMulInteger(xq,w2,xz,both,bf) scaled int8×8",
    ]);
  });

  test("constants are evaluated before, but for DequantizeLinear, which runs where nothing fuses it", async () => {
    const nodes = [
      createNode("Neg", ["m32"], ["m"]),
      createNode("MatMul", ["x", "m"], ["t"]),
      createNode("DequantizeLinear", ["w2", "ws"], ["wd"]),
      createNode("Add", ["t", "wd"], ["y"]),
    ];
    expect(await stepsOf(nodes, ["y"], [4, 4])).toEqual([
      "wd = DequantizeLinear(w2,ws) float32",
      "y = MatMul(x,m,wd) float float32",
    ]);
  });
});
