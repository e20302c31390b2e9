import { intAttribute } from "#model/attributes";
import type { Dim } from "#model/model";
import { axisAttribute, integersGiven } from "#model/ops/axes";
import { isStatic } from "#model/ops/dims";
import { type Move, movement, type MoveContext, unplanned } from "#model/ops/move";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";

/**
 * One tensor cut into several along `axis`: into parts of the given lengths (an attribute before operator set 13, an
 * input since), or into equal ones; since 18 the last of `num_outputs` parts may be shorter.
 */
export const Split = movement("Split", (context): readonly Move[] => {
  const { node, x } = context;
  const outputs = node.outputs;
  const { shape } = x;
  if (shape === undefined) return outputs.map(() => unplanned);
  const axis = axisAttribute(node, 0, shape.length);
  const lengths = lengthsOf(context, shape[axis]);
  let start = 0;
  return outputs.map((_, part): Move => {
    const length = lengths[part] ?? null;
    const dims: readonly Dim[] = shape.map((dim, a) => (a === axis ? length : dim));
    if (!isStatic(shape) || !isStatic(dims) || typeof length !== "number") return { shape: dims };
    const first = start;
    start += length;
    if (start > shape[axis]) return unplanned;
    const strides = stridesOf(shape);
    const terms = () => dims.map((dim, a) => ramp(dim, strides[a], a === axis ? first * strides[a] : 0));
    return { shape: dims, offsets: () => offsetsOf(terms()) };
  });
});

function lengthsOf({ node, opset, inputs }: MoveContext, size: Dim): readonly Dim[] {
  const given = integersGiven(node, inputs, "split", 1);
  if (given !== undefined) return given ?? [];
  const parts = intAttribute(node, "num_outputs", node.outputs.length);
  if (typeof size !== "number" || parts < 1 || (opset < 18 && size % parts !== 0)) return parts === 1 ? [size] : [];
  const length = Math.ceil(size / parts);
  return Array.from({ length: parts }, (_, part) => Math.max(0, Math.min(length, size - part * length)));
}
