import { floatAttribute } from "#model/attributes";
import { elementsOf, mapElements } from "#model/ops/elementwise";
import { inputOf } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import type { ForwardContext, Op } from "#model/ops/types";

/**
 * Each element moved into [min, max]: attributes before operator set 11, optional scalar inputs since. Two comparisons
 * an element.
 */
export const Clip: Op = {
  domain: "",
  name: "Clip",
  infer: (context) => [{ element: inputOf(context, 0).element, shape: inputOf(context, 0).shape }],
  cost: (_, __, [y]) => ({ macs: 0, flops: 2 * countOf(y) }),
  forward: (context) => {
    const [low, high] = [bound(context, 1, "min", -Infinity), bound(context, 2, "max", Infinity)];
    const number = (x: number): number => Math.min(Math.max(x, Number(low)), Number(high));
    const bigint = (x: bigint): bigint => {
      const raised = x < low ? BigInt(low) : x; // an infinite bound is never reached
      return raised > high ? BigInt(high) : raised;
    };
    return [mapElements(context.node, operand(context, 0), { float: number, integer: number, bigint })];
  },
};

function bound(context: ForwardContext, index: number, name: string, none: number): number | bigint {
  if (context.opset < 11) return floatAttribute(context.node, name, none);
  const given = context.inputs[index];
  if (given === undefined) return none;
  const value = elementsOf(given)[0];
  return typeof value === "string" ? none : value;
}
