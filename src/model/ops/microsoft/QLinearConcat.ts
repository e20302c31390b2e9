import { LowbitError } from "#base/errors";
import { axisAttribute } from "#model/ops/axes";
import { addDims } from "#model/ops/dims";
import { outputDims } from "#model/ops/known";
import { dequantized, requantized } from "#model/ops/microsoft/qlinear";
import { countOf, operand, placeOf } from "#model/ops/operand";
import { allocateChecked } from "#model/ops/strides";
import type { InferContext, Known, Op } from "#model/ops/types";
import { sizeOf } from "#model/tensor";

/**
 * Concat of tensors that each have their own scale, requantized to one. Inputs Y scale, Y zero, then X, scale, zero of
 * each.
 */
export const QLinearConcat: Op = {
  domain: "com.microsoft",
  name: "QLinearConcat",
  infer,
  cost: (_, __, [y]) => ({ macs: 0, flops: 4 * countOf(y) }),
  forward: (context) => {
    const { node, inputs } = context;
    const [dims] = outputDims(infer, context);
    const axis = axisAttribute(node, 0, dims.length);
    const y = allocateChecked("float64", dims) as Float64Array;
    const [outer, row] = [sizeOf(dims.slice(0, axis)), sizeOf(dims.slice(axis))];
    let filled = 0;
    for (let i = 2; i < inputs.length; i += 3) {
      const x = operand(context, i);
      const [values, size] = [dequantized(context, i), sizeOf(x.dims.slice(axis))];
      if (values.length !== outer * size)
        throw new LowbitError("model/shape", `[${x.dims.join(", ")}] does not join into [${dims.join(", ")}]`, {
          at: placeOf(node),
        });
      for (let o = 0; o < outer; o++) y.set(values.subarray(o * size, (o + 1) * size), o * row + filled);
      filled += size;
    }
    return [requantized(context, 0, operand(context, 1).type, dims, y)];
  },
};

function infer({ node, inputs }: InferContext): Known[] {
  const element = inputs[1]?.element;
  const shapes = inputs.filter((_, i) => i >= 2 && i % 3 === 2).map((input) => input?.shape);
  const [first] = shapes;
  if (first === undefined || !shapes.every((shape) => shape?.length === first.length))
    return [{ element, shape: undefined }];
  const axis = axisAttribute(node, 0, first.length);
  const length = shapes.map((shape) => shape?.[axis] ?? null).reduce(addDims);
  return [{ element, shape: first.map((dim, a) => (a === axis ? length : dim)) }];
}
