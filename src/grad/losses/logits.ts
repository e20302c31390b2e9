import type { LossContext } from "#grad/losses/types";
import { intAttribute } from "#model/attributes";

/** Added to probabilities before their logarithm: a share of 0 costs 27.6, not infinity. */
const tiny = 1e-12;

/** They change where a share stands, not what it is. */
const moves = new Set(["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose"]);

/** Whether the value is what a Softmax made, whatever moved it since. */
export function isProbability({ producer }: LossContext, value: string): boolean {
  let node = producer(value);
  while (node !== undefined && moves.has(node.op)) node = producer(node.inputs[0]);
  return node?.op === "Softmax";
}

/** Logits of a value, up to a constant: itself, what its Softmax was made of, or the logarithm of its probabilities. */
export function logitsOf(context: LossContext, value: string, axis: number): string {
  const { producer, write } = context;
  const node = producer(value);
  if (node?.op === "Softmax") {
    const own = intAttribute(node, "axis", -1);
    if ((own < 0 ? own + write.shapeOf(value).length : own) === axis) return node.inputs[0];
  }
  return isProbability(context, value) ? logarithm(context, value) : value;
}

export function logarithm({ write }: LossContext, probabilities: string): string {
  return write.node("Log", [write.node("Add", [probabilities, write.scalar(tiny)])]);
}
