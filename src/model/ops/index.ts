/**
 * The registry of operators lowbit knows. `general.ts` lists what moves, compares and computes element by element;
 * `neural.ts` lists what networks are made of: products, convolutions, pooling, normalization, recurrence,
 * quantization.
 */
import { generalOps } from "#model/ops/general";
import { gradients } from "#model/ops/gradients/index";
import { neuralOps } from "#model/ops/neural";
import type { Op } from "#model/ops/types";

/** Every operator, keyed `domain:name`; ai.onnx is the empty domain. → ":Conv", "com.microsoft:MatMulNBits" */
export const ops: ReadonlyMap<string, Op> = new Map(
  [...generalOps, ...neuralOps].map((op) => [`${op.domain}:${op.name}`, withGradient(op)]),
);

function withGradient(op: Op): Op {
  const name = op.domain === "" ? op.name : `${op.domain}:${op.name}`;
  return Object.hasOwn(gradients, name) ? { ...op, gradient: gradients[name] } : op;
}

/** The operator of that domain ("" or "ai.onnx" is ONNX's own) and name, or undefined. */
export function findOp(domain: string, name: string): Op | undefined {
  return ops.get(`${domain === "ai.onnx" ? "" : domain}:${name}`);
}
