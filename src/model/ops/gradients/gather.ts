/** Gradients of picking by index: what was read is added to where it was read from. Of writing by index: the reverse. */
import { LowbitError } from "#base/errors";
import { intAttribute, stringAttribute } from "#model/attributes";
import { axisAttribute } from "#model/ops/axes";
import type { GradientContext, GradientRule, GradientWriter } from "#model/ops/gradient";
import { inverseOrder, permuted, reshaped, zeros } from "#model/ops/gradients/arithmetic";
import { throughFirst } from "#model/ops/gradients/throughFirst";
import { placeOf } from "#model/ops/operand";
import { elementTypes, int64, sizeOf, toNumbers } from "#model/tensor";

/** Rows of an embedding are summed by ScatterND, which combines slices of the first axis; other axes are moved there first. */
const gatherGradient = throughFirst((dy, { node, write: w }) => {
  const [x, indices] = node.inputs;
  const shape = w.shapeOf(x);
  const axis = axisAttribute(node, 0, shape.length);
  const known = w.constantOf(indices);
  if (known?.data.length === 1) return padded(w, dy, shape, axis, toNumbers(known)[0]);
  const picked = w.shapeOf(indices);
  const others = shape.map((_, a) => a).filter((a) => a !== axis);
  const order = [axis, ...others];
  // dy: axes before, those of the indices, axes after
  const rows = [...picked.map((_, i) => axis + i), ...others.map((a) => (a < axis ? a : a + picked.length - 1))];
  const sums = w.node(
    "ScatterND",
    [
      zeros(
        w,
        order.map((a) => shape[a]),
      ),
      reshaped(w, asInt64(w, indices), [...picked, 1]),
      permuted(w, dy, rows),
    ],
    { reduction: "add" },
  );
  return permuted(w, sums, inverseOrder(order));
});

/** Of the types that indices may have, ScatterND takes one. */
function asInt64(w: GradientWriter, indices: string): string {
  return w.typeOf(indices) === "int64" ? indices : w.node("Cast", [indices], { to: elementTypes.int64.code });
}

/** dy is one slice: zeros before and after it. */
function padded(w: GradientWriter, dy: string, shape: readonly number[], axis: number, index: number): string {
  const at = index < 0 ? index + shape[axis] : index;
  const slice = shape.map((dim, a) => (a === axis ? 1 : dim));
  const before = shape.map((_, a) => (a === axis ? at : 0));
  const after = shape.map((dim, a) => (a === axis ? dim - 1 - at : 0));
  return w.node("Pad", [reshaped(w, dy, slice), w.integers([...before, ...after]), w.scalar(0)]);
}

const gatherElementsGradient = throughFirst((dy, { node, write: w }) => {
  const [x, indices] = node.inputs;
  const axis = axisAttribute(node, 0, w.shapeOf(x).length);
  return w.node("ScatterElements", [zeros(w, w.shapeOf(x)), indices, dy], { axis, reduction: "add" });
});

/** ScatterND has no batch_dims: index tuples get those of their batch in front. */
const gatherNDGradient = throughFirst((dy, { node, write: w }) => {
  const [x, indices] = node.inputs;
  const tuples = batchTuples(w, indices, intAttribute(node, "batch_dims", 0));
  return w.node("ScatterND", [zeros(w, w.shapeOf(x)), tuples, dy], { reduction: "add" });
});

function batchTuples(w: GradientWriter, indices: string, batchDims: number): string {
  if (batchDims === 0) return indices;
  const shape = w.shapeOf(indices).slice(0, -1);
  const coordinates = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const all: number[] = [];
    for (let axis = shape.length - 1, rest = i; axis >= 0; rest = Math.floor(rest / shape[axis]), axis--)
      all.unshift(rest % shape[axis]);
    return all.slice(0, batchDims);
  });
  const batch = w.tensor(int64([...shape, batchDims], coordinates.flat()));
  return w.node("Concat", [batch, indices], { axis: -1 });
}

/** The greatest elements' gradients, put back where they were. */
const topKGradient: GradientRule = ({ node, gradients: [dy], write: w }) => {
  if (dy === undefined) return [];
  const shape = w.shapeOf(node.inputs[0]);
  const axis = axisAttribute(node, -1, shape.length);
  return [w.node("ScatterElements", [zeros(w, shape), w.outputOf(node, 1), dy], { axis, reduction: "add" })];
};

/**
 * Writing: updates read their gradient where they were written; x keeps its own elsewhere, and everywhere where updates were added.
 * Places must differ unless they are added.
 */
function scatter(gather: string, attributesOf: (context: GradientContext) => Record<string, number>): GradientRule {
  return (context) => {
    const { node, wanted, write: w } = context;
    const [dy] = context.gradients;
    if (dy === undefined) return [];
    const [, indices, updates] = node.inputs;
    const reduction = stringAttribute(node, "reduction", "none");
    if (reduction !== "none" && reduction !== "add")
      throw new LowbitError("model/unsupported-operator", `no gradient is known of ${node.op} by ${reduction}`, {
        at: placeOf(node),
      });
    const attributes = attributesOf(context);
    const kept = (): string =>
      reduction === "add" ? dy : w.node(node.op, [dy, indices, zeros(w, w.shapeOf(updates))], attributes);
    return [
      wanted[0] ? kept() : undefined,
      undefined,
      wanted[2] ? w.node(gather, [dy, indices], attributes) : undefined,
    ];
  };
}

export const gatherGradients: Readonly<Record<string, GradientRule>> = {
  Gather: gatherGradient,
  GatherElements: gatherElementsGradient,
  GatherND: gatherNDGradient,
  TopK: topKGradient,
  ScatterElements: scatter("GatherElements", ({ node }) => ({ axis: intAttribute(node, "axis", 0) })),
  ScatterND: scatter("GatherND", () => ({})),
};
