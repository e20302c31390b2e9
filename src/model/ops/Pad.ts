import { LowbitError } from "#base/errors";
import { floatAttribute, stringAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { contentGiven, integersGiven, normalizeAxes } from "#model/ops/axes";
import { addDims } from "#model/ops/dims";
import { inputOf, knownTensor, outputDims, unknownDims } from "#model/ops/known";
import { operand, placeOf } from "#model/ops/operand";
import { offsetsOf, stridesOf, take } from "#model/ops/strides";
import type { Known, Op } from "#model/ops/types";
import { fromNumbers } from "#model/tensor";

/**
 * Elements added before and after each axis; negative pads take away. They are a constant, the reflection without the
 * edge, the edge itself, or (since operator set 19) the other end. Pads are an attribute before 11 and an input since;
 * `axes` since 18.
 */
export const Pad: Op = {
  domain: "",
  name: "Pad",
  infer: (context) => {
    const x = inputOf(context, 0);
    if (x.shape === undefined) return [{ element: x.element, shape: undefined }];
    const pads = padsOf(context.node, context.inputs, x.shape.length);
    if (pads === undefined) return [{ element: x.element, shape: unknownDims(x.shape.length) }];
    const shape = x.shape.map((dim, axis) => pads[axis].reduce(addDims, dim));
    return [{ element: x.element, shape }];
  },
  forward: (context) => {
    const { node, opset } = context;
    const x = operand(context, 0);
    const [dims] = outputDims(Pad.infer, context);
    const pads = padsOf(
      node,
      context.inputs.map((input) => input && knownTensor(input)),
      x.dims.length,
    );
    const mode = stringAttribute(node, "mode", "constant");
    const strides = stridesOf(x.dims);
    const terms = dims.map((dim, axis) => {
      const before = Number(pads?.[axis][0] ?? 0);
      return Int32Array.from({ length: dim }, (_, i) => {
        const from = padSource(node, mode, i - before, x.dims[axis]);
        return from < 0 ? -1 : from * strides[axis];
      });
    });
    const value = opset < 11 ? fromNumbers(x.type, [], [floatAttribute(node, "value", 0)]) : context.inputs[2];
    return [take(x, dims, offsetsOf(terms), value)];
  },
};

/** [before, after] per axis. */
export function padsOf(
  node: Node,
  inputs: readonly (Known | undefined)[],
  rank: number,
): (readonly [Dim, Dim])[] | undefined {
  const name = node.attributes.has("paddings") ? "paddings" : "pads"; // operator set 1 said paddings
  const pads = contentGiven(node, inputs, name, 1);
  const given = integersGiven(node, inputs, "axes", 3);
  if (pads === undefined || pads === null || given === null) return undefined;
  const axes = given === undefined ? Array.from({ length: rank }, (_, axis) => axis) : normalizeAxes(node, given, rank);
  if (pads.length !== 2 * axes.length) return undefined;
  return Array.from({ length: rank }, (_, axis) => {
    const at = axes.indexOf(axis);
    return at < 0 ? [0, 0] : [pads[at], pads[at + axes.length]];
  });
}

/** Which input index stands at `index` of the padded axis; −1 where the constant does. */
export function padSource(node: Node, mode: string, index: number, size: number): number {
  if (index >= 0 && index < size) return index;
  if (mode === "constant") return -1;
  if (size === 0)
    throw new LowbitError("model/shape", `Pad cannot ${mode} an axis without elements`, { at: placeOf(node) });
  switch (mode) {
    case "edge":
      return index < 0 ? 0 : size - 1;
    case "wrap":
      return ((index % size) + size) % size;
    case "reflect": {
      const period = Math.max(1, 2 * (size - 1));
      const phase = ((index % period) + period) % period;
      return Math.min(phase, period - phase);
    }
    default:
      throw new LowbitError("model/attribute", `Pad has no mode ${mode}`, { at: placeOf(node) });
  }
}
