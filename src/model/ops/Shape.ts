import { intAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { inputOf, withContent } from "#model/ops/known";
import { operand } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { int64 } from "#model/tensor";

/** The input's dims as int64; since operator set 15 only those from `start` up to `end`. */
export const Shape: Op = {
  domain: "",
  name: "Shape",
  infer: (context) => {
    const { shape } = inputOf(context, 0);
    if (shape === undefined) return [{ element: "int64", shape: [null] }];
    const dims = shape.slice(...range(context.node));
    return [withContent({ element: "int64", shape: [dims.length] }, dims)];
  },
  forward: (context) => {
    const dims = operand(context, 0).dims.slice(...range(context.node));
    return [int64([dims.length], dims)];
  },
};

/** Array.slice counts from the end and clamps just as the specification says. */
function range(node: Node): [number, number] {
  return [intAttribute(node, "start", 0), intAttribute(node, "end", Number.MAX_SAFE_INTEGER)];
}
