/** Channels to pixels and back, in blocks of b × b. Both split axes, reorder the pieces, and join them again. */
import { intAttribute, stringAttribute } from "#model/attributes";
import type { Dim } from "#model/model";
import { isStatic, multiplyDims, quotientOfDims } from "#model/ops/dims";
import { type Move, movement, unplanned } from "#model/ops/move";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";

/**
 * [N, C, H, W] → [N, C/b², H·b, W·b]. A channel is block position then depth (DCR, the default) or depth then position
 * (CRD).
 */
export const DepthToSpace = movement("DepthToSpace", ({ node, x: { shape } }) => {
  const b = intAttribute(node, "blocksize", 0);
  if (shape?.length !== 4 || b < 1) return unplanned;
  const [n, c, h, w] = shape;
  const depth = quotientOfDims([c], [b * b]);
  const dims = [n, depth, multiplyDims(h, b), multiplyDims(w, b)];
  return stringAttribute(node, "mode", "DCR") === "CRD"
    ? reordered(dims, [n, depth, b, b, h, w], [0, 1, 4, 2, 5, 3])
    : reordered(dims, [n, b, b, depth, h, w], [0, 3, 4, 1, 5, 2]);
});

/** [N, C, H, W] → [N, C·b², H/b, W/b]. */
export const SpaceToDepth = movement("SpaceToDepth", ({ node, x: { shape } }) => {
  const b = intAttribute(node, "blocksize", 0);
  if (shape?.length !== 4 || b < 1) return unplanned;
  const [n, c, h, w] = shape;
  const [rows, columns] = [quotientOfDims([h], [b]), quotientOfDims([w], [b])];
  return reordered([n, multiplyDims(c, b * b), rows, columns], [n, c, rows, b, columns, b], [0, 3, 5, 1, 2, 4]);
});

/** The input seen as `split`, its axes in another order, seen as `dims`. */
function reordered(dims: readonly Dim[], split: readonly Dim[], order: readonly number[]): Move {
  if (!isStatic(split)) return { shape: dims };
  const strides = stridesOf(split);
  return { shape: dims, offsets: () => offsetsOf(order.map((axis) => ramp(split[axis], strides[axis]))) };
}
