/** Comparisons with broadcasting: the output is bool. */
import type { Dim } from "#model/model";
import { legacyDims, legacyKnown } from "#model/ops/binary";
import { broadcastDims } from "#model/ops/broadcast";
import { compareElements, zipContent } from "#model/ops/elementwise";
import { inputOf, withContent } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import { withDims } from "#model/ops/strides";
import type { Op } from "#model/ops/types";

type Ordered = number | bigint | string;

/**
 * One comparison per output element. `onDims`: the answer for elements of a shape, where it is sure whatever the
 * symbols are.
 */
function compare(
  name: string,
  holds: (a: Ordered, b: Ordered) => boolean,
  onDims: (a: Dim, b: Dim) => boolean | null = (a, b) =>
    typeof a === "number" && typeof b === "number" ? holds(a, b) : null,
): Op {
  return {
    domain: "",
    name,
    infer: (context) => {
      const a = inputOf(context, 0);
      const b = legacyKnown(context.node, context.opset, a, inputOf(context, 1));
      const answers = zipContent(a, b, (x, y) => {
        const answer = onDims(x, y);
        return answer === null ? null : Number(answer);
      });
      return [withContent({ element: "bool", shape: broadcastDims(a.shape, b.shape) }, answers)];
    },
    cost: (_, __, [y]) => ({ macs: 0, flops: countOf(y) }),
    forward: (context) => {
      const [a, b] = [operand(context, 0), operand(context, 1)];
      const aligned = withDims(b, legacyDims(context.node, context.opset, a.dims, b.dims));
      return [compareElements<Ordered>(context.node, a, aligned, holds)];
    },
  };
}

export const compareOps: readonly Op[] = [
  compare(
    "Equal",
    (a, b) => a === b,
    (a, b) => {
      if (a !== null && a === b) return true;
      if (a === null || b === null) return null;
      // a size is never negative: exporters ask "is it the −1 that means keep?"
      if (typeof a === "number" && typeof b === "number") return false;
      return (typeof a === "number" ? a : typeof b === "number" ? b : 0) < 0 ? false : null;
    },
  ),
  compare("Less", (a, b) => a < b),
  compare("LessOrEqual", (a, b) => a <= b),
  compare("Greater", (a, b) => a > b),
  compare("GreaterOrEqual", (a, b) => a >= b),
];
