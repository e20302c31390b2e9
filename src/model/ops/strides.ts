/**
 * Moving elements about. Transpose, Slice, Expand, Tile, Gather, Pad and their kin all do the same: element i of the
 * output is element offset[i] of the input. They differ only in the list of offsets, and each list is a sum of one term
 * per axis.
 */
import { LowbitError } from "#base/errors";
import { defaultLimits } from "#base/limits";
import { allocate, type ElementType, packedBytes, sizeOf, type Tensor } from "#model/tensor";
import { broadcastShapes } from "#model/ops/broadcast";

/** Elements between neighbours on each axis, row-major. → [2, 3, 4] gives [12, 4, 1] */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = dims.map(() => 1);
  for (let axis = dims.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * dims[axis + 1];
  return strides;
}

/** `count` offsets, `step` apart. → (3, 4) gives [0, 4, 8] */
export function ramp(count: number, step: number, start = 0): number[] {
  return Array.from({ length: count }, (_, i) => start + i * step);
}

/**
 * The sums of one term per axis, in row-major order. A negative term stands for "outside" and makes every sum it is
 * part of −1. → [[0, 10], [0, 1, 2]] gives [0, 1, 2, 10, 11, 12]
 */
export function offsetsOf(axes: readonly ArrayLike<number>[]): Int32Array {
  const size = sizeOf(axes.map((terms) => terms.length));
  const out = new Int32Array(size);
  if (size === 0) return out;
  let filled = 1;
  for (const terms of axes) {
    // backwards and in place: entry i becomes entries i·length …, all of which lie at or behind it
    for (let i = filled - 1; i >= 0; i--) {
      const base = out[i];
      for (let j = terms.length - 1; j >= 0; j--) {
        out[i * terms.length + j] = base < 0 || terms[j] < 0 ? -1 : base + terms[j];
      }
    }
    filled *= terms.length;
  }
  return out;
}

/**
 * Offsets that read a tensor of shape `from` as the shape `to` that it broadcasts to; undefined where the two are the
 * same.
 */
export function broadcastOffsets(from: readonly number[], to: readonly number[]): Int32Array | undefined {
  const lead = to.length - from.length;
  if (lead === 0 && from.every((dim, axis) => dim === to[axis])) return undefined;
  broadcastShapes(from, to);
  const strides = stridesOf(from);
  return offsetsOf(to.map((dim, axis) => ramp(dim, axis < lead || from[axis - lead] === 1 ? 0 : strides[axis - lead])));
}

/**
 * The elements of `x` at `offsets`, as a tensor of shape `dims`. A negative offset gives `fill`: one element of the
 * same type, by default zero.
 */
export function take(x: Tensor, dims: readonly number[], offsets: ArrayLike<number>, fill?: Tensor): Tensor {
  const width = x.type === "complex64" || x.type === "complex128" ? 2 : 1;
  const out = allocateChecked(x.type, dims);
  // elements of one type are copied, so it does not matter to the compiler which type that is
  const [to, from] = [out as Float64Array, x.data as Float64Array];
  const outside = fill?.data as Float64Array | undefined;
  for (let i = 0; i < offsets.length; i++) {
    for (let part = 0; part < width; part++) {
      if (offsets[i] >= 0) to[i * width + part] = from[offsets[i] * width + part];
      else if (outside !== undefined) to[i * width + part] = outside[part];
    }
  }
  return { type: x.type, dims, data: out };
}

/** The same elements under another shape. */
export function withDims(x: Tensor, dims: readonly number[]): Tensor {
  return { type: x.type, dims, data: x.data };
}

/** An array for a tensor of that shape. Throws as `checkSize` does. */
export function allocateChecked(type: ElementType, dims: readonly number[]): ReturnType<typeof allocate> {
  checkSize(type, dims);
  return allocate(type, sizeOf(dims));
}

/** Throws limit/memory where a file asks for a tensor bigger than any may be. */
export function checkSize(type: ElementType, dims: readonly number[]): void {
  const bytes = Math.max(packedBytes(type, sizeOf(dims)), sizeOf(dims));
  if (bytes <= maxBytes) return;
  throw new LowbitError("limit/memory", `a ${type} tensor of shape [${dims.join(", ")}] needs ${bytes} bytes`, {
    hint: `one tensor may have ${maxBytes}`,
  });
}

/** Offsets are 32-bit integers here. */
const maxBytes = Math.min(defaultLimits.tensorBytes, 2 ** 31 - 1);
