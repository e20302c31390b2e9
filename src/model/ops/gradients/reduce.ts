/** Gradients of reductions: what was summed up is spread out again. */
import { intAttribute } from "#model/attributes";
import type { GradientContext, GradientRule, GradientWriter } from "#model/ops/gradient";
import { mul } from "#model/ops/gradients/arithmetic";
import { toNumbers } from "#model/tensor";

/** dL/dx from dy at a shape that broadcasts to x, x, and y at that shape; `count`: elements that became one. */
type Spread = (dy: string, x: string, y: string, write: GradientWriter, count: number) => string;

function rule(spread: Spread): GradientRule {
  return (context) => {
    const [dy] = context.gradients;
    if (dy === undefined) return [];
    const { node, write: w } = context;
    const [x] = node.inputs;
    const shape = w.shapeOf(x);
    const axes = reducedAxes(context, shape.length);
    const kept = shape.map((dim, axis) => (axes.has(axis) ? 1 : dim));
    const keeps = intAttribute(node, "keepdims", 1) !== 0;
    const stretch = (value: string): string => (keeps ? value : w.node("Reshape", [value, w.integers(kept)]));
    const count = shape.reduce((product, dim, axis) => (axes.has(axis) ? product * dim : product), 1);
    const dx = spread(stretch(dy), x, stretch(node.outputs[0]), w, count);
    return [w.shapeOf(dx).join() === shape.join() ? dx : w.node("Expand", [dx, w.integers(shape)])];
  };
}

function reducedAxes({ node, write }: GradientContext, rank: number): ReadonlySet<number> {
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const value = node.inputs[1] === undefined || node.inputs[1] === "" ? undefined : write.constantOf(node.inputs[1]);
  const given = value === undefined ? [] : Array.from(toNumbers(value), Number);
  if (given.length === 0) return new Set(intAttribute(node, "noop_with_empty_axes", 0) === 0 ? all : []);
  return new Set(given.map((axis) => (axis < 0 ? axis + rank : axis)));
}

/** Ties share the gradient, so that it still sums to dy. */
const extreme: Spread = (dy, x, y, w) => {
  const hit = w.node("Where", [w.node("Equal", [x, y]), w.scalar(1), w.scalar(0)]);
  const shape = w.shapeOf(y);
  const ties = w.sumTo(hit, shape);
  return mul(w, hit, w.node("Div", [dy, ties]));
};

export const reduceGradients: Readonly<Record<string, GradientRule>> = {
  ReduceSum: rule((dy) => dy),
  ReduceMean: rule((dy, _, __, w, count) => w.node("Div", [dy, w.scalar(count)])),
  ReduceSumSquare: rule((dy, x, _, w) => mul(w, dy, mul(w, x, w.scalar(2)))),
  /** 0 at the origin. */
  ReduceL2: rule((dy, x, y, w) => {
    const zero = w.node("Equal", [y, w.scalar(0)]);
    return w.node("Div", [mul(w, dy, x), w.node("Where", [zero, w.scalar(1), y])]);
  }),
  ReduceL1: rule((dy, x, _, w) => mul(w, dy, w.node("Sign", [x]))),
  ReduceLogSumExp: rule((dy, x, y, w) => mul(w, dy, w.node("Exp", [w.node("Sub", [x, y])]))),
  /** dy/Σx */
  ReduceLogSum: rule((dy, _, y, w) => w.node("Div", [dy, w.node("Exp", [y])])),
  ReduceMax: rule(extreme),
  ReduceMin: rule(extreme),
};
