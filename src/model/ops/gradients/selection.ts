/** Gradients of operators that let elements through or not: each goes to where its value came from. */
import type { GradientRule } from "#model/ops/gradient";
import { div, mul, sub, zeroUnless } from "#model/ops/gradients/arithmetic";
import { throughFirst } from "#model/ops/gradients/throughFirst";
import { elementTypes } from "#model/tensor";

const whereGradient: GradientRule = ({ node, gradients: [dy], wanted, write: w }) => {
  if (dy === undefined) return [];
  const [condition, x, y] = node.inputs;
  return [
    undefined,
    wanted[1] ? w.sumTo(zeroUnless(w, condition, dy), w.shapeOf(x)) : undefined,
    wanted[2] ? w.sumTo(w.node("Where", [condition, w.scalar(0), dy]), w.shapeOf(y)) : undefined,
  ];
};

/** To x where it came through unchanged (on the bounds too, as PyTorch), else to the bound that it became; min ≤ max. */
const clipGradient: GradientRule = ({ node, gradients: [dy], wanted, write: w }) => {
  if (dy === undefined) return [];
  const [x, low, high] = node.inputs;
  const to = (bound: string, relation: string): string =>
    w.sumTo(zeroUnless(w, w.node(relation, [x, bound]), dy), w.shapeOf(bound));
  return [
    wanted[0] ? zeroUnless(w, w.node("Equal", [x, node.outputs[0]]), dy) : undefined,
    wanted[1] ? to(low, "Less") : undefined,
    wanted[2] ? to(high, "Greater") : undefined,
  ];
};

/** In training y = x·mask/(1 − ratio), else y = x. */
const dropoutGradient = throughFirst((dy, { node, write: w }) => {
  const [, ratio = "", training = ""] = node.inputs;
  const mode = training === "" ? undefined : w.constantOf(training);
  if (training === "" || mode?.data[0] === 0) return dy;
  const kept = ratio === "" ? w.scalar(0.5) : sub(w, w.scalar(1), w.node("CastLike", [ratio, dy]));
  const scale = w.node("Where", [training, div(w, w.scalar(1), kept), w.scalar(1)]);
  return mul(w, zeroUnless(w, w.outputOf(node, 1), dy), scale);
});

export const selectionGradients: Readonly<Record<string, GradientRule>> = {
  Where: whereGradient,
  Clip: clipGradient,
  Dropout: dropoutGradient,
  /** Between floats; integers have no gradient. */
  Cast: throughFirst((dy, { node, write }) =>
    write.node("Cast", [dy], { to: elementTypes[write.typeOf(node.inputs[0])].code }),
  ),
};
