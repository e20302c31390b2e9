import { intAttribute } from "#model/attributes";
import { productOfDims } from "#model/ops/dims";
import { movement, unplanned } from "#model/ops/move";

/** A matrix: the axes before `axis` (default 1) become its rows, the others its columns. → [2, 3, 4] is [2, 12] */
export const Flatten = movement("Flatten", ({ node, x }) => {
  if (x.shape === undefined) return { shape: [null, null], offsets: "same" };
  const given = intAttribute(node, "axis", 1);
  const axis = given < 0 ? given + x.shape.length : given;
  if (axis < 0 || axis > x.shape.length) return unplanned;
  return { shape: [productOfDims(x.shape.slice(0, axis)), productOfDims(x.shape.slice(axis))], offsets: "same" };
});
