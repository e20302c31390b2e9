/**
 * Multidirectional broadcasting: shapes are aligned at their last axis, and a dim of 1 stretches (ONNX Broadcasting.md,
 * NumPy).
 */
import { LowbitError } from "#base/errors";
import type { Dim } from "#model/model";

/** The common shape. Throws model/shape where there is none. → [2, 1, 4] and [3, 1] give [2, 3, 4] */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const shape of shapes) {
      const dim = shape[axis - rank + shape.length] ?? 1;
      if (dim === 1 || dim === size) continue;
      if (size !== 1) {
        const all = shapes.map((dims) => `[${dims.join(", ")}]`).join(" and ");
        throw new LowbitError("model/shape", `${all} do not broadcast: ${size} and ${dim} meet on one axis`);
      }
      size = dim;
    }
    return size;
  });
}

/** The common shape as far as it is known; undefined where a rank is unknown. → [N, 1] and [4] give [N, 4] */
export function broadcastDims(...shapes: readonly (readonly Dim[] | undefined)[]): readonly Dim[] | undefined {
  if (!shapes.every((shape) => shape !== undefined)) return undefined;
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes
      .map((shape) => (axis < rank - shape.length ? 1 : shape[axis - rank + shape.length]))
      .reduce<Dim>(broadcastDim, 1),
  );
}

function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === 1 || a === b) return b;
  if (b === 1) return a;
  // a number that is not 1 can only meet itself or a 1: it decides, whatever the other turns out to be
  if (typeof a === "number") return typeof b === "number" ? null : a;
  return typeof b === "number" ? b : null;
}
