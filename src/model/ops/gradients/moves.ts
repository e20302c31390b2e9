/** Gradients of operators that move data: what went there comes back; what was copied is summed up. */
import { intAttribute, intsAttribute, stringAttribute } from "#model/attributes";
import { axisAttribute } from "#model/ops/axes";
import type { GradientContext, GradientRule } from "#model/ops/gradient";
import { inverseOrder, permuted, reshaped, zeros } from "#model/ops/gradients/arithmetic";
import { sliceGradient } from "#model/ops/gradients/slice";
import { throughFirst } from "#model/ops/gradients/throughFirst";

const inputShape = ({ node, write }: GradientContext, index = 0): readonly number[] =>
  write.shapeOf(node.inputs[index]);

const shapeBack = throughFirst((dy, context) => reshaped(context.write, dy, inputShape(context)));

const transposeGradient = throughFirst((dy, { node, write }) => {
  const backwards = write.shapeOf(dy).map((_, axis, { length }) => length - 1 - axis);
  return permuted(write, dy, inverseOrder(intsAttribute(node, "perm") ?? backwards));
});

/** Each axis of dy is r copies of d elements: [r₀, d₀, r₁, d₁, …], summed over the copies. */
const tileGradient = throughFirst((dy, context) => {
  const { write: w } = context;
  const shape = inputShape(context);
  const copies = w.shapeOf(dy).flatMap((dim, axis) => [shape[axis] === 0 ? 0 : dim / shape[axis], shape[axis]]);
  const axes = w.integers(shape.map((_, axis) => 2 * axis));
  return w.node("ReduceSum", [reshaped(w, dy, copies), axes], { keepdims: 0 });
});

/** Each operand takes its piece of dy. */
const concatGradient: GradientRule = ({ node, gradients: [dy], wanted, write: w }) => {
  if (dy === undefined) return [];
  const axis = axisAttribute(node, 0, w.shapeOf(dy).length);
  let end = 0;
  return node.inputs.map((name, i) => {
    const start = end;
    end += w.shapeOf(name)[axis];
    const bounds = [[start], [end], [axis]].map((values) => w.integers(values));
    return wanted[i] ? w.node("Slice", [dy, ...bounds]) : undefined;
  });
};

/** The parts' gradients side by side, zeros for those that do not reach the loss. */
const splitGradient: GradientRule = ({ node, gradients, write: w }) => {
  const axis = axisAttribute(node, 0, w.shapeOf(node.inputs[0]).length);
  const parts = gradients.map((dy, i) => dy ?? zeros(w, w.shapeOf(node.outputs[i])));
  return [w.node("Concat", parts, { axis })];
};

/** Undone by SpaceToDepth, which knows only the order block then depth; the other is undone axis by axis. */
const depthToSpaceGradient = throughFirst((dy, context) => {
  const { node, write: w } = context;
  const b = intAttribute(node, "blocksize", 1);
  if (stringAttribute(node, "mode", "DCR") === "DCR") return w.node("SpaceToDepth", [dy], { blocksize: b });
  const [n, c, h, width] = inputShape(context);
  const pieces = permuted(w, reshaped(w, dy, [n, c / (b * b), h, b, width, b]), [0, 1, 3, 5, 2, 4]);
  return reshaped(w, pieces, [n, c, h, width]);
});

export const moveGradients: Readonly<Record<string, GradientRule>> = {
  Reshape: shapeBack,
  Flatten: shapeBack,
  Squeeze: shapeBack,
  Unsqueeze: shapeBack,
  Transpose: transposeGradient,
  Expand: throughFirst((dy, context) => context.write.sumTo(dy, inputShape(context))),
  Tile: tileGradient,
  Concat: concatGradient,
  Split: splitGradient,
  Slice: sliceGradient,
  DepthToSpace: depthToSpaceGradient,
  SpaceToDepth: throughFirst((dy, { node, write }) =>
    write.node("DepthToSpace", [dy], { blocksize: intAttribute(node, "blocksize", 1) }),
  ),
  /** Σ over all that an element was added to: the same sum from the other end. */
  CumSum: throughFirst((dy, { node, write }) =>
    write.node("CumSum", [dy, node.inputs[1]], {
      exclusive: intAttribute(node, "exclusive", 0),
      reverse: 1 - intAttribute(node, "reverse", 0),
    }),
  ),
  Trilu: throughFirst((dy, { node, write }) =>
    write.node("Trilu", [dy, ...node.inputs.slice(1)], { upper: intAttribute(node, "upper", 1) }),
  ),
};
