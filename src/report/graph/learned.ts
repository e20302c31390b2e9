/** Which constants are parameters: numbers that training found, and where their channels lie. */
import { intAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { findOp } from "#model/ops/index";
import { sizeOf } from "#model/tensor";
import type { ConstantGroup } from "#report/constantGroups";

/** Numbers that were learned: weights that something computes with or looks up, not masks that are only cut to size. */
export function parametersOf({ role, stored, uses }: ConstantGroup): number {
  return role === "weight" && uses.some(({ node }) => node !== undefined && computes(node)) ? sizeOf(stored.shape) : 0;
}

/** Whether a node computes with its inputs or looks them up, and does not merely move them. */
export function computes(node: Node): boolean {
  const op = findOp(node.domain, node.op);
  return op === undefined || op.cost !== undefined || node.op.startsWith("Gather");
}

/** Axis of the output channels, by the first node that reads the weight. */
export function channelAxis({ uses, codes, stored }: ConstantGroup): number | undefined {
  const use = uses.find(({ constant }) => constant.primary === codes);
  const { node, input } = use ?? { node: undefined, input: -1 };
  const last = stored.shape.length - 1;
  switch (node?.op) {
    case "Conv":
    case "ConvInteger":
    case "QLinearConv":
    case "Gather":
    case "GatherBlockQuantized":
      return 0;
    case "ConvTranspose":
    case "LSTM":
    case "GRU":
    case "RNN":
      return 1;
    case "Gemm":
    case "QGemm":
      return intAttribute(node, "transB", 0) === 0 ? 1 : 0;
    case "MatMul":
      return input === 0 ? last - 1 : last;
    case "MatMulNBits":
    case "MatMulInteger":
    case "QLinearMatMul":
    case "DynamicQuantizeMatMul":
    case "MatMulIntegerToFloat":
    case "DynamicQuantizeLSTM":
      return last;
    default:
      return undefined;
  }
}
