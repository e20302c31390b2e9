import { axisAttribute, normalizeIndex } from "#model/ops/axes";
import { isStatic } from "#model/ops/dims";
import { integersOf } from "#model/ops/known";
import { movement, unplanned } from "#model/ops/move";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";

/**
 * Slices of `axis` (default 0) picked by index: the axis is replaced by the shape of the indices. An embedding lookup
 * is this.
 */
export const Gather = movement("Gather", ({ node, inputs: [, indices], x: { shape } }) => {
  if (shape === undefined || indices?.shape === undefined) return unplanned;
  const axis = axisAttribute(node, 0, shape.length);
  const dims = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
  const picked = integersOf(indices);
  if (!isStatic(shape) || picked === undefined) return { shape: dims };
  const strides = stridesOf(shape);
  const offsets = () => {
    const chosen = picked.map((index) => normalizeIndex(node, index, shape[axis]) * strides[axis]);
    return offsetsOf(shape.map((dim, a) => (a === axis ? chosen : ramp(dim, strides[a]))));
  };
  return { shape: dims, offsets };
});
