/** Gradients of functions of any number of tensors that broadcast together. */
import type { GradientContext, GradientRule } from "#model/ops/gradient";
import { div, mul } from "#model/ops/gradients/arithmetic";

/** The gradient of each operand at the output's shape; summed over what was repeated. */
function rule(sidesOf: (dy: string, context: GradientContext) => (x: string, i: number) => string): GradientRule {
  return (context) => {
    const { node, wanted, write: w } = context;
    const [dy] = context.gradients;
    if (dy === undefined) return [];
    const side = sidesOf(dy, context);
    return node.inputs.map((x, i) => (wanted[i] ? w.sumTo(side(x, i), w.shapeOf(x)) : undefined));
  };
}

/** Operands that tie share the gradient, so that it still sums to dy. */
const extreme = rule((dy, { node, write: w }) => {
  const [y] = node.outputs;
  const hit = (x: string): string => w.node("Where", [w.node("Equal", [x, y]), w.scalar(1), w.scalar(0)]);
  const hits = node.inputs.map(hit);
  const share = div(w, dy, w.node("Sum", hits));
  return (_, i) => mul(w, hits[i], share);
});

export const variadicGradients: Readonly<Record<string, GradientRule>> = {
  Sum: rule((dy) => () => dy),
  Mean: rule((dy, { node, write: w }) => {
    const share = div(w, dy, w.scalar(node.inputs.length));
    return () => share;
  }),
  Max: extreme,
  Min: extreme,
};
