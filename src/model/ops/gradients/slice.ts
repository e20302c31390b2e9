import { LowbitError } from "#base/errors";
import { normalizeAxis } from "#model/ops/axes";
import type { GradientContext } from "#model/ops/gradient";
import { reshaped } from "#model/ops/gradients/arithmetic";
import { throughFirst } from "#model/ops/gradients/throughFirst";
import { placeOf } from "#model/ops/operand";
import { cut } from "#model/ops/Slice";
import { toNumbers } from "#model/tensor";

/**
 * dy back to where it was cut from, zeros around it. Rows that stand `step` apart get the zeros between them as columns:
 *
 *   [a, b] with step 3 → [[a, 0, 0], [b, 0, 0]] → [a, 0, 0, b, 0, 0] → cut or padded to size
 */
export const sliceGradient = throughFirst((dy, context) => {
  const { node, write: w } = context;
  const shape = w.shapeOf(node.inputs[0]);
  const [starts, ends] = [integersAt(context, 1) ?? [], integersAt(context, 2) ?? []];
  const [axes, steps] = [integersAt(context, 3), integersAt(context, 4)];
  const before = shape.map(() => 0);
  const after = shape.map(() => 0);
  let x = dy;
  for (const [i, begin] of starts.entries()) {
    const axis = normalizeAxis(node, axes?.[i] ?? i, shape.length);
    const { start, step, length } = cut(shape[axis], begin, ends[i], steps?.[i] ?? 1);
    if (typeof length !== "number" || length === 0) continue;
    const stride = Math.abs(step);
    before[axis] = step > 0 ? start : start + (length - 1) * step;
    if (step < 0) x = w.node("Slice", [x, ...[[-1], [-(2 ** 31)], [axis], [-1]].map((value) => w.integers(value))]);
    const reach = (length - 1) * stride + 1;
    if (stride > 1) x = spread(context, x, axis, stride, reach);
    after[axis] = shape[axis] - before[axis] - reach;
  }
  if (w.shapeOf(x).some((dim) => dim === 0)) return w.node("Expand", [w.scalar(0), w.integers(shape)]);
  const pads = [...before, ...after];
  return pads.every((pad) => pad === 0) ? x : w.node("Pad", [x, w.integers(pads), w.scalar(0)]);
});

/** Elements of an axis set `stride` apart, zeros between them; `reach` elements from the first to the last. */
function spread({ write: w }: GradientContext, x: string, axis: number, stride: number, reach: number): string {
  const shape = w.shapeOf(x);
  const columns = [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)];
  const zeros = columns.map((_, a) => (a === axis + 1 ? stride - 1 : 0));
  const padded = w.node("Pad", [reshaped(w, x, columns), w.integers([...columns.map(() => 0), ...zeros]), w.scalar(0)]);
  const flat = reshaped(
    w,
    padded,
    shape.map((dim, a) => (a === axis ? dim * stride : dim)),
  );
  return w.node("Slice", [flat, ...[[0], [reach], [axis]].map((value) => w.integers(value))]);
}

function integersAt({ node, write }: GradientContext, index: number): readonly number[] | undefined {
  const name = node.inputs[index] ?? "";
  if (name === "") return undefined;
  const value = write.constantOf(name);
  if (value !== undefined) return Array.from(toNumbers(value), Number);
  throw new LowbitError(
    "model/shape",
    `where ${node.outputs[0]} is cut out depends on ${name}, which is not constant`,
    {
      at: placeOf(node),
      hint: "fix the sizes of the model's inputs",
    },
  );
}
