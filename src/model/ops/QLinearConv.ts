import { convolutionCost, convolutionOf, convolutionShape, convolve } from "#model/ops/convolution";
import { centeredFilters } from "#model/ops/ConvInteger";
import { operand } from "#model/ops/operand";
import { centered, perChannel, requantize, single } from "#model/ops/quantization";
import type { Op } from "#model/ops/types";
import { sizeOf, tensor, toNumbers } from "#model/tensor";

/**
 * Convolution of codes, requantized: y = saturate(round((Σ (x − x₀)(w − w₀) + b) · sₓ·s_w/s_y) + y₀). Inputs x, sₓ, x₀,
 * w, s_w, w₀, s_y, y₀, optional int32 bias; s_w and w₀ one or per filter. The sum is exact, its rescaling float32 as in
 * ONNX Runtime.
 */
export const QLinearConv: Op = {
  domain: "",
  name: "QLinearConv",
  infer: ({ node, inputs }) => [{ element: inputs[7]?.element, shape: convolutionShape(node, inputs[0], inputs[3]) }],
  cost: (_, inputs, [y]) => convolutionCost(inputs[3], y, inputs[8] !== undefined),
  forward: (context) => {
    const [x, xScale, xZero, w, wScale, wZero, yScale, yZero] = [0, 1, 2, 3, 4, 5, 6, 7].map((i) =>
      operand(context, i),
    );
    const bias = context.inputs[8];
    const plan = convolutionOf(context.node, x.dims, w.dims);
    const sums = convolve(plan, centered(x, xZero), centeredFilters(w, wZero), bias && toNumbers(bias));
    const multipliers = perChannel(wScale, w.dims[0], 1).map((scale) =>
      Math.fround(Math.fround(single(xScale) * scale) / single(yScale)),
    );
    const inner = sizeOf(plan.window.output);
    return [tensor(yZero.type, plan.dims, requantize(yZero.type, sums, multipliers, single(yZero), inner))];
  },
};
