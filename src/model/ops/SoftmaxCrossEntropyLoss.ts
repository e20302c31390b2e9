import { lossShape, negativeLogLikelihood } from "#model/ops/NegativeLogLikelihoodLoss";
import { countOf, operand } from "#model/ops/operand";
import { logSoftmax } from "#model/ops/Softmax";
import type { Op } from "#model/ops/types";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * The negative log-likelihood of LogSoftmax(scores). Inputs scores [N, C, …], classes [N, …], optional weights [C];
 * outputs the loss (see NegativeLogLikelihoodLoss) and optionally the log-probabilities.
 */
export const SoftmaxCrossEntropyLoss: Op = {
  domain: "",
  name: "SoftmaxCrossEntropyLoss",
  infer: ({ node, inputs: [x, target] }) => [
    { element: x?.element, shape: lossShape(node, target) },
    ...(node.outputs.length > 1 ? [{ element: x?.element, shape: x?.shape }] : []),
  ],
  cost: (_, [x]) => ({ macs: 0, flops: 5 * countOf(x) }),
  forward: (context) => {
    const [x, target] = [operand(context, 0), operand(context, 1)];
    const [batch, classes, ...rest] = x.dims;
    const [values, inner] = [toNumbers(x), sizeOf(rest)];
    const y = new Float64Array(values.length);
    for (let row = 0; row < batch * inner; row++) {
      logSoftmax(values, y, Math.floor(row / inner) * classes * inner + (row % inner), classes, inner);
    }
    const loss = negativeLogLikelihood(context.node, x, y, target, context.inputs[2]);
    return context.node.outputs.length > 1 ? [loss, fromNumbers(x.type, x.dims, y)] : [loss];
  },
};
