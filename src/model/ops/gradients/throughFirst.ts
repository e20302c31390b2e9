import type { GradientContext, GradientRule } from "#model/ops/gradient";

/** The rule of an operator with one output whose gradient passes to its first input alone: the others are indices, shapes, axes. */
export function throughFirst(back: (dy: string, context: GradientContext) => string): GradientRule {
  return (context) => {
    const [dy] = context.gradients;
    return [dy === undefined || !context.wanted[0] ? undefined : back(dy, context)];
  };
}
