import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { fusionCases } from "#targets/acceptance/cases/fusion";
import { ortNode } from "#targets/acceptance/ortNode";
import { int8Kernel, int8Operators } from "#targets/int8Kernels";

/** Operators that leave the graph before anything is fused: they need no kernel. */
const vanish = new Set(["Identity", "Dropout", "Cast"]);
/** Computed on codes, but what comes out are none: nothing that can stand between Q and DQ. */
const endCodes = new Set(["ArgMax"]);

const verdictOf = (id: string) => ortNode.rows[id]?.verdict;

describe("the table of int8 kernels agrees with what ONNX Runtime did", () => {
  test.each(int8Operators.map((op) => [op]))("%s has a row in which it was computed on codes", (op) => {
    const rows = Object.keys(ortNode.rows).filter((id) => id === `fusion/${op}` || id.startsWith(`fusion/${op}-`));
    expect(rows.map(verdictOf)).toContain("fuses");
  });

  // a row of another grid asks what the kind "moves" says: that it must be the same
  const operators = fusionCases.filter(({ id }) => !id.endsWith("-otherGrid"));
  test.each(operators.map((given) => [given.id, given] as const))("%s", (id, { model }) => {
    const node = model.graph.nodes.find(({ op }) => id === `fusion/${op}` || id.startsWith(`fusion/${op}-`));
    if (node === undefined) throw new Error(`${id} does not hold its operator`);
    const types = [...model.graph.inputs].map(({ type }) => (type?.kind === "tensor" ? type.element : undefined));
    if (types.some((type) => type !== "uint8" && type !== "int8")) return; // the table is about 8 bits
    const listed = int8Kernel(node, model.opsets.get("") ?? 0) !== undefined;
    const fused = verdictOf(id) === "fuses" && !vanish.has(node.op) && !endCodes.has(node.op);
    expect({ id, listed }).toEqual({ id, listed: fused });
  });

  test.each(["MaxPool", "Reshape", "Transpose"])("%s needs one grid for operand and result", (op) => {
    expect(verdictOf(`fusion/${op}`)).toBe("fuses");
    expect(verdictOf(`fusion/${op}-otherGrid`)).toBe("float");
    expect(int8Kernel(createNode(op, ["x"], ["y"]), 13)?.kernel.kind).toBe("moves");
  });

  test.each(["Conv", "Gemm", "MatMul"])("%s: float results, and zero points that must be written", (op) => {
    const kernel = int8Kernel(createNode(op, ["x", "w"], ["y"]), 13)?.kernel;
    if (kernel?.kind !== "linear") throw new Error(`${op} is not linear`);
    expect(kernel.floatOutput).toBe(verdictOf(`fusion/${op}-floatResult`) === "fuses");
    expect(kernel.statesZero ?? false).toBe(verdictOf(`fusion/${op}-perChannel`) !== "fuses");
  });

  test("Gemm is fused with alpha, but not with alpha and a bias, nor with beta", () => {
    const gemm = (inputs: string[], attributes: Record<string, { float: number }>) =>
      int8Kernel(createNode("Gemm", inputs, ["y"], attributes), 13) !== undefined;
    expect(gemm(["x", "w"], { alpha: { float: 0.5 } })).toBe(verdictOf("fusion/Gemm-alpha") === "fuses");
    expect(gemm(["x", "w", "b"], { alpha: { float: 0.5 } })).toBe(verdictOf("fusion/Gemm-alpha-bias") === "fuses");
    expect(gemm(["x", "w", "b"], { beta: { float: 0.5 } })).toBe(verdictOf("fusion/Gemm-beta") === "fuses");
  });

  test("ConvTranspose is no kernel of codes, in any form", () => {
    const rows = Object.keys(ortNode.rows).filter((id) => id.startsWith("fusion/ConvTranspose"));
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.map(verdictOf)).not.toContain("fuses");
    expect(int8Kernel(createNode("ConvTranspose", ["x", "w"], ["y"]), 21)).toBeUndefined();
  });
});

describe("what the optimizer does to float layers, which the writer guards against", () => {
  test("QuantizeLinear is moved up through MaxPool and is stopped by a Relu; DequantizeLinear is moved down", () => {
    expect(ortNode.rows["quirk/quantizeBehind-MaxPool"].kernels).toMatch(/Q MaxPool$/);
    expect(ortNode.rows["quirk/quantizeBehind-MaxPool-Relu"].kernels).toMatch(/MaxPool Q$/);
    expect(ortNode.rows["quirk/dequantizeBefore-MaxPool"].kernels).toMatch(/^MaxPool DQ/);
  });

  test.each(["Conv", "ConvTranspose", "Gemm"])("float weights of a %s between codes get one scale for all", (op) => {
    expect(verdictOf(`fusion/${op}-floatWeights`)).toBe("changes");
  });

  test("a clamp keeps them, and MatMul's are left alone", () => {
    expect(verdictOf("fusion/Conv-floatWeights-clamped")).toBe("float");
    expect(verdictOf("fusion/MatMul-floatWeights")).toBe("float");
  });
});
