import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { generalOps } from "#model/ops/general";
import { findOp, ops } from "#model/ops/index";
import { neuralOps } from "#model/ops/neural";
import type { Known } from "#model/ops/types";

describe("the registry of operators", () => {
  test("no operator is registered twice", () => {
    expect(ops.size).toBe(generalOps.length + neuralOps.length);
  });

  test("every general operator runs: constants are folded with them", () => {
    expect(generalOps.filter((op) => op.forward === undefined)).toEqual([]);
  });

  test("ai.onnx is another name of ONNX's own domain", () => {
    expect(findOp("ai.onnx", "Relu")).toBe(findOp("", "Relu"));
    expect(findOp("com.example", "Relu")).toBeUndefined();
  });
});

describe("what general operators cost", () => {
  const x: Known = { element: "float32", shape: [2, 3, 4] };
  const row: Known = { element: "float32", shape: [2, 1, 4] };
  const cost = (op: string, inputs: Known[], outputs: Known[]) =>
    findOp("", op)?.cost?.(createNode(op, ["a"], ["b"]), inputs, outputs);

  test.each<[string, Known[], Known[], number]>([
    ["Add", [row, x], [x], 24],
    ["Sigmoid", [x], [x], 24],
    ["Less", [row, x], [x], 24],
    ["Sum", [x, x, x], [x], 48],
    ["Clip", [x], [x], 48],
    ["ReduceSum", [x], [row], 24],
    ["ScatterElements", [x, row, row], [x], 8],
  ])("%s is counted in operations, not estimated", (op, inputs, outputs, flops) => {
    expect(cost(op, inputs, outputs)).toEqual({ macs: 0, flops });
  });

  test.each(["Transpose", "Reshape", "Gather", "Pad", "Concat", "Cast", "Identity", "Constant"])(
    "%s only moves data",
    (op) => {
      expect(findOp("", op)?.cost).toBeUndefined();
    },
  );
});
