/** Gradients of functions of two elements that broadcast: each operand's is summed over what was repeated. */
import type { GradientContext, GradientRule, GradientWriter } from "#model/ops/gradient";
import { mul } from "#model/ops/gradients/arithmetic";

/** Gradients of both operands at the output's shape, from dy, a, b and y. */
type Pair = (
  dy: string,
  a: string,
  b: string,
  write: GradientWriter,
  y: string,
) => readonly [da: () => string, db: () => string];

function rule(pair: Pair): GradientRule {
  return ({ node, gradients: [dy], wanted, write }: GradientContext) => {
    if (dy === undefined) return [];
    const [a, b] = node.inputs;
    const sides = pair(dy, a, b, write, node.outputs[0]);
    return sides.map((side, i) => (wanted[i] ? write.sumTo(side(), write.shapeOf(node.inputs[i])) : undefined));
  };
}

export const binaryGradients: Readonly<Record<string, GradientRule>> = {
  Add: rule((dy) => [() => dy, () => dy]),
  Sub: rule((dy, _, __, w) => [() => dy, () => w.node("Neg", [dy])]),
  Mul: rule((dy, a, b, w) => [() => mul(w, dy, b), () => mul(w, dy, a)]),
  Div: rule((dy, _, b, w, y) => [
    () => w.node("Div", [dy, b]),
    () => w.node("Neg", [w.node("Div", [mul(w, dy, y), b])]),
  ]),
  /** b·a^(b−1); y·ln a, for the base's sake only where a > 0. */
  Pow: rule((dy, a, b, w, y) => [
    () => mul(w, dy, mul(w, b, w.node("Pow", [a, w.node("Sub", [b, w.scalar(1)])]))),
    () => {
      const positive = w.node("Greater", [a, w.scalar(0)]);
      const logarithm = w.node("Log", [w.node("Where", [positive, a, w.scalar(1)])]);
      return mul(w, dy, mul(w, y, logarithm));
    },
  ]),
};

/** max(0, x) of each channel's own slope: dx = dy where x ≥ 0, slope·dy elsewhere; dslope = x·dy where x < 0. */
export const preluGradient: GradientRule = ({ node, gradients: [dy], wanted, write: w }) => {
  if (dy === undefined) return [];
  const [x, slope] = node.inputs;
  const negative = w.node("Less", [x, w.scalar(0)]);
  const dx = wanted[0] ? w.node("Where", [negative, w.node("Mul", [dy, slope]), dy]) : undefined;
  const steep = wanted[1] ? w.node("Where", [negative, w.node("Mul", [dy, x]), w.scalar(0)]) : undefined;
  return [dx, steep && w.sumTo(steep, w.shapeOf(slope))];
};
