import type { Dim } from "#model/model";
import { contentGiven, integersGiven, normalizeAxis } from "#model/ops/axes";
import { isStatic } from "#model/ops/dims";
import { unknownDims } from "#model/ops/known";
import { movement, type MoveContext, unplanned } from "#model/ops/move";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";

/** Indices start, start + step, … of one axis. `start` is not known where `length` is not. */
interface Cut {
  readonly start: number;
  readonly step: number;
  readonly length: Dim;
}

/**
 * A box cut out of a tensor, with steps that may be negative. Bounds are attributes before operator set 10, inputs
 * since.
 */
export const Slice = movement("Slice", (context) => {
  const { shape } = context.x;
  if (shape === undefined) return unplanned;
  const cuts = cutsOf(context, shape);
  if (cuts === undefined) return { shape: unknownDims(shape.length) };
  const dims = cuts.map(({ length }) => length);
  if (!isStatic(shape) || !isStatic(dims)) return { shape: dims };
  const strides = stridesOf(shape);
  const terms = () =>
    cuts.map(({ start, step }, axis) => ramp(dims[axis], step * strides[axis], start * strides[axis]));
  return { shape: dims, offsets: () => offsetsOf(terms()) };
});

function cutsOf({ node, inputs }: MoveContext, shape: readonly Dim[]): readonly Cut[] | undefined {
  const starts = contentGiven(node, inputs, "starts", 1);
  const ends = contentGiven(node, inputs, "ends", 2);
  const count = starts?.length ?? ends?.length ?? inputs[1]?.shape?.[0] ?? inputs[2]?.shape?.[0];
  if (typeof count !== "number") return undefined;
  const given = integersGiven(node, inputs, "axes", 3);
  const steps = integersGiven(node, inputs, "steps", 4);
  if (given === null) return undefined;
  const cuts: Cut[] = shape.map((length) => ({ start: 0, step: 1, length }));
  for (let i = 0; i < count; i++) {
    const axis = normalizeAxis(node, given?.[i] ?? i, shape.length);
    const step = steps === null ? null : (steps?.[i] ?? 1);
    cuts[axis] = cut(shape[axis], starts?.[i] ?? null, ends?.[i] ?? null, step);
  }
  return cuts;
}

/** Anything from here on means "to the end". */
const far = 2 ** 31 - 1;

/** What start, end and step of the operator select of an axis of `size` elements. */
export function cut(size: Dim, start: Dim, end: Dim, step: number | null): Cut {
  if (typeof size === "number" && typeof start === "number" && typeof end === "number" && step !== null && step !== 0) {
    const clamp = (index: number, low: number, high: number): number =>
      Math.min(Math.max(index < 0 ? index + size : index, low), high);
    const [first, last] =
      step > 0 ? [clamp(start, 0, size), clamp(end, 0, size)] : [clamp(start, 0, size - 1), clamp(end, -1, size - 1)];
    return { start: first, step, length: Math.min(size, Math.max(0, Math.ceil((last - first) / step))) };
  }
  const toEnd = end === size || (typeof end === "number" && end >= far);
  if (size !== null && step === 1 && start === 0 && toEnd) return { start: 0, step, length: size };
  return { start: 0, step: 1, length: null };
}
