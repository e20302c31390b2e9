import { normalizeAxis } from "#model/ops/axes";
import { inputOf, numbersOf, outputDims } from "#model/ops/known";
import { operand } from "#model/ops/operand";
import { offsetsOf, ramp, stridesOf, take } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { sizeOf, toNumbers } from "#model/tensor";
import { intAttribute } from "#model/attributes";

/**
 * A new axis of `depth` elements: values[1] at the index, values[0] elsewhere; everywhere if the index is outside
 * [−depth, depth).
 */
export const OneHot: Op = {
  domain: "",
  name: "OneHot",
  infer: (context) => {
    const [indices, values] = [inputOf(context, 0), inputOf(context, 2)];
    if (indices.shape === undefined) return [{ element: values.element, shape: undefined }];
    const axis = normalizeAxis(context.node, intAttribute(context.node, "axis", -1), indices.shape.length + 1);
    const depth = numbersOf(context.inputs[1])?.[0];
    const size = depth === undefined ? null : Math.trunc(depth);
    return [{ element: values.element, shape: [...indices.shape.slice(0, axis), size, ...indices.shape.slice(axis)] }];
  },
  forward: (context) => {
    const [indices, values] = [operand(context, 0), operand(context, 2)];
    const [dims] = outputDims(OneHot.infer, context);
    const axis = normalizeAxis(context.node, intAttribute(context.node, "axis", -1), dims.length);
    const depth = dims[axis];
    const hot = Float64Array.from(toNumbers(indices), (index) => (index < 0 ? index + depth : index));
    const strides = stridesOf(indices.dims);
    const own = offsetsOf(dims.map((dim, a) => ramp(dim, a === axis ? 0 : strides[a < axis ? a : a - 1])));
    const along = offsetsOf(dims.map((dim, a) => ramp(dim, a === axis ? 1 : 0)));
    const choice = Int32Array.from({ length: sizeOf(dims) }, (_, i) => (along[i] === hot[own[i]] ? 1 : 0));
    return [take(values, dims, choice)];
  },
};
