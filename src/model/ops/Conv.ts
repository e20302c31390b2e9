import { convolutionCost, convolutionOf, convolutionShape, convolve } from "#model/ops/convolution";
import { operand } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { fromNumbers, toNumbers } from "#model/tensor";

/** Convolution over any number of spatial axes. X [N, C, …], W [M, C/group, …], optional B [M] → [N, M, …]. */
export const Conv: Op = {
  domain: "",
  name: "Conv",
  infer: ({ node, inputs: [x, w] }) => [{ element: x?.element, shape: convolutionShape(node, x, w) }],
  cost: (_, [, w, bias], [y]) => convolutionCost(w, y, bias !== undefined),
  forward: (context) => {
    const [x, w, bias] = [operand(context, 0), operand(context, 1), context.inputs[2]];
    const plan = convolutionOf(context.node, x.dims, w.dims);
    const y = convolve(plan, toNumbers(x), toNumbers(w), bias && toNumbers(bias));
    return [fromNumbers(x.type, plan.dims, y)];
  },
};
