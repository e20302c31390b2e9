import { broadcastDims, broadcastShapes } from "#model/ops/broadcast";
import { isStatic } from "#model/ops/dims";
import { contentLimit, contentOf, inputOf, withContent } from "#model/ops/known";
import { operand, requireOneType } from "#model/ops/operand";
import { allocateChecked, broadcastOffsets } from "#model/ops/strides";
import type { Known, Op } from "#model/ops/types";
import type { Dim } from "#model/model";
import { sizeOf } from "#model/tensor";

/** x where the condition is true, y elsewhere; all three broadcast. */
export const Where: Op = {
  domain: "",
  name: "Where",
  infer: (context) => {
    const [condition, x, y] = [inputOf(context, 0), inputOf(context, 1), inputOf(context, 2)];
    const shape = broadcastDims(condition.shape, x.shape, y.shape);
    return [withContent({ element: x.element ?? y.element, shape }, chosen(shape, condition, x, y))];
  },
  forward: (context) => {
    const [condition, x, y] = [operand(context, 0), operand(context, 1), operand(context, 2)];
    requireOneType(context.node, x, y);
    const dims = broadcastShapes(condition.dims, x.dims, y.dims);
    const [ic, ix, iy] = [condition, x, y].map((input) => broadcastOffsets(input.dims, dims));
    const out = allocateChecked(x.type, dims);
    for (let i = 0; i < out.length; i++) {
      out[i] = condition.data[ic?.[i] ?? i] ? x.data[ix?.[i] ?? i] : y.data[iy?.[i] ?? i];
    }
    return [{ type: x.type, dims, data: out }];
  },
};

function chosen(shape: Known["shape"], condition: Known, x: Known, y: Known): readonly Dim[] | undefined {
  const [choices, a, b] = [contentOf(condition), contentOf(x), contentOf(y)];
  if (!isStatic(shape) || sizeOf(shape) > contentLimit || choices === undefined) return undefined;
  if (!isStatic(condition.shape) || !isStatic(x.shape) || !isStatic(y.shape)) return undefined;
  const [ic, ix, iy] = [condition.shape, x.shape, y.shape].map((dims) => broadcastOffsets(dims, shape));
  return Array.from({ length: sizeOf(shape) }, (_, i) => {
    const [whenTrue, whenFalse] = [a?.[ix?.[i] ?? i] ?? null, b?.[iy?.[i] ?? i] ?? null];
    const choice = choices[ic?.[i] ?? i];
    if (choice === null) return whenTrue === whenFalse ? whenTrue : null;
    return choice === 0 ? whenFalse : whenTrue;
  });
}
