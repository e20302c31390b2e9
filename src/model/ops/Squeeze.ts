import { integersGiven, normalizeAxes } from "#model/ops/axes";
import { isStatic } from "#model/ops/dims";
import { movement, unplanned } from "#model/ops/move";

/**
 * Without the given axes, which have size 1; without all axes of size 1 if none are given. The axes are an input since
 * set 13.
 */
export const Squeeze = movement("Squeeze", ({ node, inputs, x }) => {
  const { shape } = x;
  const given = integersGiven(node, inputs, "axes", 1);
  if (shape === undefined || given === null) return unplanned;
  // a symbol might turn out to be 1: then even the rank is not known
  if (given === undefined)
    return isStatic(shape) ? { shape: shape.filter((dim) => dim !== 1), offsets: "same" } : unplanned;
  const axes = new Set(normalizeAxes(node, given, shape.length));
  return { shape: shape.filter((_, axis) => !axes.has(axis)), offsets: "same" };
});
