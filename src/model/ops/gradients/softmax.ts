/** Gradients of Softmax and LogSoftmax, along one axis as operator set 13 and later have it. */
import { intAttribute } from "#model/attributes";
import type { GradientContext, GradientRule } from "#model/ops/gradient";
import { mul, sub } from "#model/ops/gradients/arithmetic";
import { throughFirst } from "#model/ops/gradients/throughFirst";

function sumAlongAxis({ node, write: w }: GradientContext, x: string): string {
  return w.node("ReduceSum", [x, w.integers([intAttribute(node, "axis", -1)])], { keepdims: 1 });
}

export const softmaxGradients: Readonly<Record<string, GradientRule>> = {
  /** dxᵢ = yᵢ·(dyᵢ − Σ dy·y) */
  Softmax: throughFirst((dy, context) => {
    const { node, write: w } = context;
    const [y] = node.outputs;
    return mul(w, y, sub(w, dy, sumAlongAxis(context, mul(w, dy, y))));
  }),
  /** dxᵢ = dyᵢ − e^yᵢ·Σ dy */
  LogSoftmax: throughFirst((dy, context) => {
    const { node, write: w } = context;
    return sub(w, dy, mul(w, w.node("Exp", [node.outputs[0]]), sumAlongAxis(context, dy)));
  }),
};
