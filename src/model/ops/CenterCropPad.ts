import { intsAttribute } from "#model/attributes";
import type { Dim } from "#model/model";
import { normalizeAxes } from "#model/ops/axes";
import { isStatic } from "#model/ops/dims";
import { contentOf, unknownDims } from "#model/ops/known";
import { movement, unplanned } from "#model/ops/move";
import { offsetsOf, stridesOf } from "#model/ops/strides";

/** The input cut or filled with zeros around its middle until it has the given dims; odd halves go to the end. */
export const CenterCropPad = movement("CenterCropPad", ({ node, inputs, x: { shape } }) => {
  if (shape === undefined) return unplanned;
  const axes = normalizeAxes(node, intsAttribute(node, "axes") ?? [...shape.keys()], shape.length);
  const wanted = contentOf(inputs[1]) ?? unknownDims(axes.length);
  const dims: readonly Dim[] = shape.map((dim, a) => (axes.includes(a) ? (wanted[axes.indexOf(a)] ?? null) : dim));
  if (!isStatic(shape) || !isStatic(dims)) return { shape: dims };
  const strides = stridesOf(shape);
  const terms = () =>
    dims.map((dim, a) => {
      const first = dim > shape[a] ? -Math.floor((dim - shape[a]) / 2) : Math.floor((shape[a] - dim) / 2);
      const at = (i: number): number => (first + i < 0 || first + i >= shape[a] ? -1 : (first + i) * strides[a]);
      return Int32Array.from({ length: dim }, (_, i) => at(i));
    });
  return { shape: dims, offsets: () => offsetsOf(terms()) };
});
