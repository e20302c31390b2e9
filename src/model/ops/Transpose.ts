import { intsAttribute } from "#model/attributes";
import type { Dim } from "#model/model";
import { isStatic } from "#model/ops/dims";
import { movement, unplanned } from "#model/ops/move";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";
import { normalizeAxes } from "#model/ops/axes";

/** The axes in another order: output axis i is input axis perm[i]; reversed if `perm` is absent. */
export const Transpose = movement("Transpose", ({ node, x: { shape } }) => {
  if (shape === undefined) return unplanned;
  const perm = normalizeAxes(node, intsAttribute(node, "perm") ?? [...shape.keys()].reverse(), shape.length);
  const dims: readonly Dim[] = perm.map((axis) => shape[axis]);
  if (new Set(perm).size !== shape.length) return unplanned;
  if (!isStatic(dims) || !isStatic(shape)) return { shape: dims };
  const strides = stridesOf(shape);
  return { shape: dims, offsets: () => offsetsOf(dims.map((dim, i) => ramp(dim, strides[perm[i]]))) };
});
