import { intAttribute } from "#model/attributes";
import type { Dim } from "#model/model";
import { contentGiven } from "#model/ops/axes";
import { quotientOfDims } from "#model/ops/dims";
import { unknownDims } from "#model/ops/known";
import { movement, unplanned } from "#model/ops/move";

/**
 * The same elements under another shape, given as an attribute before operator set 5 and as an input since. 0 keeps the
 * input's dim (unless `allowzero`, since 14), and one −1 takes what is left. → [2, 3, 4] to [0, −1] is [2, 12]
 */
export const Reshape = movement("Reshape", ({ node, opset, inputs, x }) => {
  const target = contentGiven(node, inputs, "shape", 1);
  if (target === undefined) return unplanned;
  if (target === null) {
    const rank = inputs[1]?.shape?.[0];
    return typeof rank === "number" ? { shape: unknownDims(rank), offsets: "same" } : unplanned;
  }
  const keepsZero = opset >= 14 && intAttribute(node, "allowzero", 0) !== 0;
  const dims = target.map((dim, axis): Dim => (dim === 0 && !keepsZero ? (x.shape?.[axis] ?? null) : dim));
  // one dim that is −1, or that nothing is known of, is what is left over
  const open = dims.flatMap((dim, axis) => (dim === -1 || dim === null ? [axis] : []));
  if (open.length === 1 && x.shape !== undefined) {
    const [axis] = open;
    dims[axis] = quotientOfDims(
      x.shape,
      dims.filter((_, other) => other !== axis),
    );
  }
  return { shape: dims.map((dim) => (dim === -1 ? null : dim)), offsets: "same" };
});
