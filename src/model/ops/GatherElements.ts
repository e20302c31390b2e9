import { axisAttribute, normalizeIndex } from "#model/ops/axes";
import { isStatic } from "#model/ops/dims";
import { integersOf } from "#model/ops/known";
import { movement } from "#model/ops/move";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";

/**
 * One element per index: y[i][j][k] = x[index[i][j][k]][j][k] for axis 0, and so on. The output has the indices' shape.
 */
export const GatherElements = movement("GatherElements", ({ node, inputs: [, indices], x: { shape } }) => {
  const picked = integersOf(indices);
  const dims = indices?.shape;
  if (!isStatic(shape) || !isStatic(dims) || picked === undefined) return { shape: dims };
  const axis = axisAttribute(node, 0, shape.length);
  return {
    shape: dims,
    offsets: () => elementOffsets(shape, dims, axis, (i) => normalizeIndex(node, picked[i], shape[axis])),
  };
});

/**
 * Per element of `dims` the offset in `shape` with the coordinate on `axis` replaced. ScatterElements writes where this
 * reads.
 */
export function elementOffsets(
  shape: readonly number[],
  dims: readonly number[],
  axis: number,
  index: (i: number) => number,
): Int32Array {
  const strides = stridesOf(shape);
  const offsets = offsetsOf(dims.map((dim, a) => ramp(dim, a === axis ? 0 : strides[a])));
  return offsets.map((offset, i) => offset + index(i) * strides[axis]);
}
