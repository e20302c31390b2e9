import { LowbitError } from "#base/errors";
import { intAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { inputOf } from "#model/ops/known";
import { operand, placeOf } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { type ElementType, elementTypeOf, fromNumbers, sizeOf } from "#model/tensor";

/** Ones on diagonal `k` of a matrix of the input's shape, zeros elsewhere; `dtype` defaults to the input's type. */
export const EyeLike: Op = {
  domain: "",
  name: "EyeLike",
  infer: (context) => {
    const { element, shape } = inputOf(context, 0);
    return [{ element: typeOf(context.node, element), shape }];
  },
  forward: (context) => {
    const { node } = context;
    const { dims, type } = operand(context, 0);
    if (dims.length !== 2) throw new LowbitError("model/shape", "EyeLike needs a matrix", { at: placeOf(node) });
    const k = intAttribute(node, "k", 0);
    const at = (i: number): number => (i % dims[1] === Math.floor(i / dims[1]) + k ? 1 : 0);
    const ones = Float64Array.from({ length: sizeOf(dims) }, (_, i) => at(i));
    return [fromNumbers(typeOf(node, type) ?? type, dims, ones)];
  },
};

function typeOf(node: Node, input: ElementType | undefined): ElementType | undefined {
  return node.attributes.has("dtype") ? elementTypeOf(intAttribute(node, "dtype", 0)) : input;
}
