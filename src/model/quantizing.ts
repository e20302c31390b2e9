import type { Node } from "#model/model";

/**
 * Whether a node turns numbers into codes or back, or computes on codes: QuantizeLinear, DequantizeLinear, QLinearConv,
 * MatMulInteger and their kin. They are what a quantized model is made of, so nothing computes them beforehand.
 */
export function isQuantizing(node: Node): boolean {
  return /quantize|^QLinear|Integer(ToFloat)?$|NBits$/i.test(node.op);
}
