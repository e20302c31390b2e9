import { zipElements } from "#model/ops/elementwise";
import { inputOf } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import { withDims } from "#model/ops/strides";
import type { Op } from "#model/ops/types";

/**
 * x where it is positive, slope · x elsewhere. The slope broadcasts to x; before operator set 7 it had one element per
 * channel.
 */
export const PRelu: Op = {
  domain: "",
  name: "PRelu",
  infer: (context) => [{ element: inputOf(context, 0).element, shape: inputOf(context, 0).shape }],
  cost: (_, __, [y]) => ({ macs: 0, flops: 2 * countOf(y) }),
  forward: (context) => {
    const [x, slope] = [operand(context, 0), operand(context, 1)];
    const perChannel = context.opset < 7 && slope.dims.length === 1 && slope.dims[0] > 1;
    const aligned = perChannel ? withDims(slope, [slope.dims[0], ...x.dims.slice(2).map(() => 1)]) : slope;
    const formula = (a: number, s: number): number => (a < 0 ? s * a : a);
    const bigint = (a: bigint, s: bigint): bigint => (a < 0n ? s * a : a);
    return [zipElements(context.node, x, aligned, { float: formula, integer: formula, bigint })];
  },
};
