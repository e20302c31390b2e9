import { LowbitError } from "#base/errors";
import { intAttribute, stringAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { countOf, operand, placeOf } from "#model/ops/operand";
import type { Known, Op } from "#model/ops/types";
import { fromNumbers, sizeOf, type Tensor, toNumbers } from "#model/tensor";

/**
 * −weight[c]·x[n, c, …] of each target class c. Inputs log-probabilities [N, C, …], classes [N, …], optional weights
 * [C]. Reduction "mean" divides by the weights of the targets; targets equal to ignore_index count nothing.
 */
export const NegativeLogLikelihoodLoss: Op = {
  domain: "",
  name: "NegativeLogLikelihoodLoss",
  infer: ({ node, inputs: [x, target] }) => [{ element: x?.element, shape: lossShape(node, target) }],
  cost: (_, [, target]) => ({ macs: 0, flops: 2 * countOf(target) }),
  forward: (context) => {
    const [x, target, weight] = [operand(context, 0), operand(context, 1), context.inputs[2]];
    return [negativeLogLikelihood(context.node, x, toNumbers(x), target, weight)];
  },
};

/** Shape of a loss: the targets' without reduction, else a scalar. */
export function lossShape(node: Node, target: Known | undefined): readonly Dim[] | undefined {
  return stringAttribute(node, "reduction", "mean") === "none" ? target?.shape : [];
}

/** The loss of log-probabilities `values`, which have x's dims and type. */
export function negativeLogLikelihood(
  node: Node,
  x: Tensor,
  values: ArrayLike<number>,
  target: Tensor,
  weight: Tensor | undefined,
): Tensor {
  const [, classes, ...rest] = x.dims;
  const inner = sizeOf(rest);
  const [labels, weights] = [toNumbers(target), weight && toNumbers(weight)];
  const ignored = node.attributes.has("ignore_index") ? intAttribute(node, "ignore_index", -1) : undefined;
  const losses = new Float64Array(labels.length);
  let [sum, total] = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (label === ignored) continue;
    if (!(label >= 0 && label < classes))
      throw new LowbitError("model/shape", `target ${label} is none of ${classes} classes`, { at: placeOf(node) });
    const share = weights === undefined ? 1 : weights[label];
    losses[i] = -values[(Math.floor(i / inner) * classes + label) * inner + (i % inner)] * share;
    sum += losses[i];
    total += share;
  }
  const reduction = stringAttribute(node, "reduction", "mean");
  if (reduction === "none") return fromNumbers(x.type, target.dims, losses);
  return fromNumbers(x.type, [], [reduction === "sum" ? sum : sum / total]);
}
