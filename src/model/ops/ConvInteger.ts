import { convolutionCost, convolutionOf, convolutionShape, convolve } from "#model/ops/convolution";
import { operand } from "#model/ops/operand";
import { centered, perChannel } from "#model/ops/quantization";
import type { Op } from "#model/ops/types";
import { sizeOf, type Tensor, tensor, toNumbers } from "#model/tensor";

/**
 * Convolution of codes minus their zero points, exact in int32. Inputs x, w, optional x and w zero points (w's one or
 * per filter). Padding adds 0 after the zero point is taken off.
 */
export const ConvInteger: Op = {
  domain: "",
  name: "ConvInteger",
  infer: ({ node, inputs: [x, w] }) => [{ element: "int32", shape: convolutionShape(node, x, w) }],
  cost: (_, [, w], [y]) => convolutionCost(w, y, false),
  forward: (context) => {
    const [x, w] = [operand(context, 0), operand(context, 1)];
    const plan = convolutionOf(context.node, x.dims, w.dims);
    const sums = convolve(plan, centered(x, context.inputs[2]), centeredFilters(w, context.inputs[3]));
    return [tensor("int32", plan.dims, Int32Array.from(sums))];
  },
};

/** Weights [M, …] minus their zero point: one, or one per filter. */
export function centeredFilters(w: Tensor, zero: Tensor | undefined): Float32Array | Float64Array {
  if (zero === undefined || zero.data.length === 1) return centered(w, zero);
  const zeros = perChannel(zero, w.dims[0], 0);
  const size = sizeOf(w.dims.slice(1));
  return toNumbers(w).map((code, i) => code - zeros[Math.floor(i / size)]);
}
