/** Quantized functions of one element or two: dequantize, compute, quantize. */
import { floatAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { broadcastDims, broadcastShapes } from "#model/ops/broadcast";
import { dequantized, requantized } from "#model/ops/microsoft/qlinear";
import { countOf, operand } from "#model/ops/operand";
import { sigmoid } from "#model/ops/recurrentActivations";
import { broadcastOffsets } from "#model/ops/strides";
import type { Op } from "#model/ops/types";

/** Inputs A, A scale, A zero, B, B scale, B zero, C scale, C zero; A and B broadcast. */
function binary(name: string, compute: (a: number, b: number) => number): Op {
  return {
    domain: "com.microsoft",
    name,
    infer: ({ inputs: [a, , , b] }) => [{ element: a?.element, shape: broadcastDims(a?.shape, b?.shape) }],
    // two dequantizations, the operation, one quantization
    cost: (_, __, [y]) => ({ macs: 0, flops: 7 * countOf(y) }),
    forward: (context) => {
      const [a, b] = [operand(context, 0), operand(context, 3)];
      const dims = broadcastShapes(a.dims, b.dims);
      const [left, right] = [dequantized(context, 0), dequantized(context, 3)];
      const [leftAt, rightAt] = [broadcastOffsets(a.dims, dims), broadcastOffsets(b.dims, dims)];
      const length = leftAt?.length ?? rightAt?.length ?? left.length;
      const values = Float64Array.from({ length }, (_, i) => compute(left[leftAt?.[i] ?? i], right[rightAt?.[i] ?? i]));
      return [requantized(context, 6, a.type, dims, values)];
    },
  };
}

/** Inputs X, X scale, X zero, Y scale, Y zero. */
function unary(name: string, formula: (node: Node) => (x: number) => number): Op {
  return {
    domain: "com.microsoft",
    name,
    infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape }],
    cost: (_, __, [y]) => ({ macs: 0, flops: 5 * countOf(y) }),
    forward: (context) => {
      const x = operand(context, 0);
      return [requantized(context, 3, x.type, x.dims, dequantized(context, 0).map(formula(context.node)))];
    },
  };
}

export const QLinearAdd = binary("QLinearAdd", (a, b) => a + b);
export const QLinearMul = binary("QLinearMul", (a, b) => a * b);
export const QLinearSigmoid = unary("QLinearSigmoid", () => sigmoid);
export const QLinearLeakyRelu = unary("QLinearLeakyRelu", (node) => {
  const alpha = floatAttribute(node, "alpha", 0.01);
  return (x) => (x >= 0 ? x : alpha * x);
});
