/** What operators ask of their inputs: that they are there, and how big they are. */
import { LowbitError } from "#base/errors";
import type { Node } from "#model/model";
import type { ForwardContext, Known } from "#model/ops/types";
import type { Tensor } from "#model/tensor";

/** An input that the specification requires. Throws model/missing-tensor if the node omits it. */
export function operand(context: ForwardContext, index: number): Tensor {
  const value = context.inputs[index];
  if (value !== undefined) return value;
  const { node } = context;
  throw new LowbitError("model/missing-tensor", `${node.op} lacks its input ${index}`, { at: placeOf(node) });
}

/** Throws model/type unless all inputs at hand have the type of the first, as the operator's type constraint says. */
export function requireOneType(node: Node, ...inputs: readonly Tensor[]): void {
  const other = inputs.find(({ type }) => type !== inputs[0].type);
  if (other === undefined) return;
  throw new LowbitError("model/type", `${node.op} takes inputs of one type, not ${inputs[0].type} and ${other.type}`, {
    at: placeOf(node),
  });
}

/** Where an error of this node is. */
export function placeOf(node: Node): { node: string; op: string } {
  return { node: node.name || node.outputs[0] || "", op: node.op };
}

/** The dims of a value whose shape is concrete, as it is wherever costs are counted. */
export function dimsOf(known: Known | undefined): readonly number[] {
  return (known?.shape ?? []) as readonly number[];
}

/** The number of elements of a value whose shape is concrete. */
export function countOf(known: Known | undefined): number {
  return dimsOf(known).reduce((product, dim) => product * dim, 1);
}
