import { intAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { normalizeIndex } from "#model/ops/axes";
import { isStatic } from "#model/ops/dims";
import { integersOf } from "#model/ops/known";
import { movement, unplanned } from "#model/ops/move";
import { stridesOf } from "#model/ops/strides";
import { sizeOf } from "#model/tensor";

/**
 * Slices picked by index tuples, which are the last axis of the indices; `batch_dims` leading axes are shared by both.
 */
export const GatherND = movement("GatherND", ({ node, inputs: [, indices], x: { shape } }) => {
  const tuples = indices?.shape;
  const depth = tuples?.[tuples.length - 1];
  if (shape === undefined || tuples === undefined || typeof depth !== "number") return unplanned;
  const batch = intAttribute(node, "batch_dims", 0);
  const dims = [...tuples.slice(0, -1), ...shape.slice(batch + depth)];
  const picked = integersOf(indices);
  if (!isStatic(shape) || !isStatic(tuples) || picked === undefined) return { shape: dims };
  const offsets = () => {
    const starts = tupleOffsets(node, shape, tuples, picked, batch);
    const length = sizeOf(shape.slice(batch + depth));
    return Int32Array.from({ length: starts.length * length }, (_, i) => starts[Math.floor(i / length)] + (i % length));
  };
  return { shape: dims, offsets };
});

/** Per index tuple the offset of the slice it names in a tensor of that shape. ScatterND writes where this reads. */
export function tupleOffsets(
  node: Node,
  shape: readonly number[],
  tuples: readonly number[],
  indices: ArrayLike<number>,
  batch = 0,
): number[] {
  const depth = tuples[tuples.length - 1];
  const strides = stridesOf(shape);
  const count = sizeOf(tuples.slice(0, -1));
  const batches = sizeOf(shape.slice(0, batch));
  const perBatch = sizeOf(shape.slice(batch));
  return Array.from({ length: count }, (_, tuple) => {
    let offset = Math.floor((tuple * batches) / count) * perBatch;
    for (let k = 0; k < depth; k++) {
      offset += normalizeIndex(node, indices[tuple * depth + k], shape[batch + k]) * strides[batch + k];
    }
    return offset;
  });
}
