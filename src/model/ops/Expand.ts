import { broadcastDims } from "#model/ops/broadcast";
import { isStatic } from "#model/ops/dims";
import { contentOf, unknownDims } from "#model/ops/known";
import { movement, unplanned } from "#model/ops/move";
import { broadcastOffsets } from "#model/ops/strides";

/** The input stretched to the shape that it and the given one broadcast to. */
export const Expand = movement("Expand", ({ inputs: [, target], x: { shape } }) => {
  const content = contentOf(target);
  if (content === undefined) {
    const rank = target?.shape?.[0];
    return shape !== undefined && typeof rank === "number"
      ? { shape: unknownDims(Math.max(rank, shape.length)) }
      : unplanned;
  }
  const dims = broadcastDims(shape, content);
  if (!isStatic(shape) || !isStatic(dims)) return { shape: dims };
  const offsets = broadcastOffsets(shape, dims);
  return { shape: dims, offsets: offsets === undefined ? "same" : () => offsets };
});
