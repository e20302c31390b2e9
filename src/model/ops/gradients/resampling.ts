/** Gradients of resizing and padding: weighted sums of a few elements, given back to those they read. */
import { LowbitError } from "#base/errors";
import { stringAttribute } from "#model/attributes";
import type { GradientContext, GradientRule } from "#model/ops/gradient";
import { sub } from "#model/ops/gradients/arithmetic";
import { scatterTaps, tapsOf } from "#model/ops/gradients/taps";
import { throughFirst } from "#model/ops/gradients/throughFirst";
import { knownTensor } from "#model/ops/known";
import { placeOf } from "#model/ops/operand";
import { padSource, padsOf } from "#model/ops/Pad";
import { resampledAxes } from "#model/ops/Resize";
import type { Known } from "#model/ops/types";

/** Axis by axis as forward, and back through the same weights. What was extrapolated had its value from nowhere. */
const resize = throughFirst((dy, context) => {
  const { node, opset, write: w } = context;
  const dims = w.shapeOf(node.inputs[0]);
  return resampledAxes(node, opset, knownInputs(context), dims).reduce((gradient, { axis, taps, outside }) => {
    const weights = taps.weights.map((weight, i) => (outside[Math.floor(i / taps.count)] ? 0 : weight));
    return scatterTaps(w, gradient, axis, { ...taps, weights }, dims[axis]);
  }, dy);
});

/**
 * Constant padding is cut off, and what a negative pad cut off is 0; the constant has the sum of what was cut off. Edges,
 * reflections and wraps give back to where they were read.
 */
const pad: GradientRule = (context) => {
  const { node, wanted, write: w } = context;
  const [dy] = context.gradients;
  if (dy === undefined) return [];
  const dims = w.shapeOf(node.inputs[0]);
  const pads = padsOf(node, knownInputs(context), dims.length)?.map((pair) => pair.map(Number));
  if (pads === undefined) throw unknownInput(context);
  const mode = stringAttribute(node, "mode", "constant");
  if (mode === "constant") {
    const back = [...pads.map(([before]) => -before), ...pads.map(([, after]) => -after)];
    const dx = w.node("Pad", [dy, w.integers(back)]);
    return [dx, undefined, wanted[2] ? sub(w, w.sumTo(dy, []), w.sumTo(dx, [])) : undefined];
  }
  return [
    dims.reduce((gradient, size, axis) => {
      const [before, after] = pads[axis];
      if (before === 0 && after === 0) return gradient;
      const from = (i: number): number => padSource(node, mode, i - before, size);
      return scatterTaps(w, gradient, axis, tapsOf(size + before + after, 1, size, from), size);
    }, dy),
  ];
};

/** The first input's shape and the others' values, which must not depend on what is computed. */
function knownInputs(context: GradientContext): (Known | undefined)[] {
  const { node, write: w } = context;
  return node.inputs.map((name, i) => {
    if (name === "") return undefined;
    if (i === 0) return { element: w.typeOf(name), shape: w.shapeOf(name) };
    const value = w.constantOf(name);
    if (value !== undefined) return knownTensor(value);
    if (i === 2 && node.op === "Pad") return { element: w.typeOf(name), shape: w.shapeOf(name) };
    throw unknownInput(context);
  });
}

function unknownInput({ node }: GradientContext): LowbitError {
  return new LowbitError(
    "model/shape",
    `the sizes that ${node.op} is given are not known, and its gradient depends on them`,
    {
      at: placeOf(node),
      hint: "fix the sizes of the model's inputs",
    },
  );
}

export const resamplingGradients: Readonly<Record<string, GradientRule>> = { Resize: resize, Pad: pad };
