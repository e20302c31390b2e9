import { axisAttribute } from "#model/ops/axes";
import { isStatic } from "#model/ops/dims";
import { integersOf } from "#model/ops/known";
import { movement, unplanned } from "#model/ops/move";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";
import { sizeOf } from "#model/tensor";

/** The slices of `axis` whose condition is true; without an axis, the elements of the flattened input. */
export const Compress = movement("Compress", ({ node, inputs: [, condition], x: { shape } }) => {
  const flat = !node.attributes.has("axis");
  if (flat && shape === undefined) return { shape: [null] };
  if (shape === undefined) return unplanned;
  const axis = flat ? 0 : axisAttribute(node, 0, shape.length);
  const mask = integersOf(condition);
  const dims = (length: number | null) => (flat ? [length] : shape.map((dim, a) => (a === axis ? length : dim)));
  if (mask === undefined || !isStatic(shape)) return { shape: dims(null) };
  const source = flat ? [sizeOf(shape)] : shape;
  const kept = mask.flatMap((holds, i) => (holds !== 0 && i < source[axis] ? [i] : []));
  const strides = stridesOf(source);
  const terms = () => source.map((dim, a) => (a === axis ? kept.map((i) => i * strides[a]) : ramp(dim, strides[a])));
  return { shape: dims(kept.length), offsets: () => offsetsOf(terms()) };
});
