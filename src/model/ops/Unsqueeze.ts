import type { Dim } from "#model/model";
import { integersGiven, normalizeAxes } from "#model/ops/axes";
import { unknownDims } from "#model/ops/known";
import { movement, unplanned } from "#model/ops/move";

/**
 * With axes of size 1 put in, at places counted in the output. The axes are an input since set 13. → [3] with axes [0,
 * 2] is [1, 3, 1]
 */
export const Unsqueeze = movement("Unsqueeze", ({ node, inputs, x }) => {
  const given = integersGiven(node, inputs, "axes", 1);
  if (x.shape === undefined || given === undefined) return unplanned;
  if (given === null) {
    const count = inputs[1]?.shape?.[0];
    return typeof count === "number" ? { shape: unknownDims(x.shape.length + count), offsets: "same" } : unplanned;
  }
  const rank = x.shape.length + given.length;
  const axes = new Set(normalizeAxes(node, given, rank));
  const rest = [...x.shape];
  const shape = Array.from({ length: rank }, (_, axis): Dim => (axes.has(axis) ? 1 : (rest.shift() ?? null)));
  return { shape, offsets: "same" };
});
