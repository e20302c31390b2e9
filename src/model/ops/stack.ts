/** Taking a tensor apart along an axis and putting it together again: how loops see their sequences. */
import { allocateChecked, offsetsOf, ramp, stridesOf, take } from "#model/ops/strides";
import type { Tensor } from "#model/tensor";

/** The slice at `index` of `axis`, without that axis. */
export function sliceAt(x: Tensor, axis: number, index: number): Tensor {
  const strides = stridesOf(x.dims);
  const terms = x.dims.map((dim, a) => (a === axis ? [index * strides[axis]] : ramp(dim, strides[a])));
  return take(
    x,
    x.dims.filter((_, a) => a !== axis),
    offsetsOf(terms),
  );
}

/** Tensors of one shape side by side on a new axis. At least one. */
export function stack(slices: readonly Tensor[], axis: number): Tensor {
  const [{ type, dims }] = slices;
  const stacked = [...dims.slice(0, axis), slices.length, ...dims.slice(axis)];
  const out = allocateChecked(type, stacked);
  const strides = stridesOf(stacked);
  for (const [index, { data }] of slices.entries()) {
    const terms = stacked.map((dim, a) => (a === axis ? [index * strides[axis]] : ramp(dim, strides[a])));
    const offsets = offsetsOf(terms);
    for (let i = 0; i < offsets.length; i++) out[offsets[i]] = data[i];
  }
  return { type, dims: stacked, data: out };
}
