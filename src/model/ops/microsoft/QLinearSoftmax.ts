import { intAttribute } from "#model/attributes";
import { dequantized, requantized } from "#model/ops/microsoft/qlinear";
import { countOf, operand } from "#model/ops/operand";
import { forEachVector, softmax } from "#model/ops/Softmax";
import type { Op } from "#model/ops/types";

/**
 * Quantized Softmax. Inputs X, X scale, X zero, Y scale, Y zero; attribute `opset` says which Softmax's axis is meant.
 */
export const QLinearSoftmax: Op = {
  domain: "com.microsoft",
  name: "QLinearSoftmax",
  infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape }],
  cost: (_, [x]) => ({ macs: 0, flops: 9 * countOf(x) }),
  forward: (context) => {
    const x = operand(context, 0);
    const values = dequantized(context, 0);
    const y = new Float64Array(values.length);
    const standard = { ...context, opset: intAttribute(context.node, "opset", 13) };
    forEachVector(standard, x, (first, length, step) => softmax(values, y, first, length, step));
    return [requantized(context, 3, x.type, x.dims, y)];
  },
};
