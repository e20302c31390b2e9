/**
 * Writes weights as packed integers that standard operators decode: Cast, Sub, Mul. Their inputs are constants, so every runtime
 * evaluates them once when the model is loaded, and the layer computes on floats as before: small on disk, float in memory, at
 * float speed. (A DequantizeLinear would be run again at every inference, or fused into another kernel: stack.md §1.1 P5.)
 */
import type { Weight } from "#methods/plan/weights";
import type { SharedConstants } from "#methods/quantize/parameters";
import { quantizeWeight, type QuantizedWeight } from "#methods/quantize/weights";
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { Node } from "#model/model";
import { elementTypes, float32, toNumbers } from "#model/tensor";
import { readWeight, weight } from "#model/weights";
import type { Scheme } from "#quant/scheme";

/** Replaces a weight for all its readers, and takes the shift of their means off their biases. */
export async function writeDecodeAtLoad(
  draft: GraphDraft,
  { ref, uses, channelAxis }: Weight,
  scheme: Scheme,
  constants: SharedConstants,
  channelMeans: ReadonlyMap<string, ArrayLike<number>>,
): Promise<void> {
  const { name } = ref;
  const quantized = await quantizeWeight(ref, scheme, channelAxis, `${name}_q`);
  const { decoding, codes } = quantized;
  const dims = decoding.granularity.per === "tensor" ? [] : ref.dims.map((dim, i) => (i === channelAxis ? dim : 1));
  let value = draft.freshName(`${name}_float`);
  draft.add(
    createNode("Cast", [draft.addInitializer(codes)], [value], { to: elementTypes.float32.code }, { name: "" }),
  );
  const apply = (op: string, operand: string): void => {
    const next = draft.freshName(`${name}_${op.toLowerCase()}`);
    draft.add(createNode(op, [value, operand], [next], {}, { name: "" }));
    value = next;
  };
  if (decoding.zeroPoint !== null)
    apply("Sub", constants.scale(Float32Array.from(decoding.zeroPoint), dims, `${name}_zero`));
  apply("Mul", constants.scale(decoding.scale, dims, name));
  for (const { node, input } of uses) {
    const means = channelMeans.get(node.inputs[0]);
    if (input === 1 && means !== undefined && (node.op === "Conv" || node.op === "Gemm"))
      await correctBias(draft, node, quantized, means);
  }
  draft.replaceUses(name, value);
}

async function correctBias(
  draft: GraphDraft,
  original: Node,
  quantized: QuantizedWeight,
  means: ArrayLike<number>,
): Promise<void> {
  const node = draft.current(original);
  if (node === undefined) return;
  const [, , b] = node.inputs;
  const ref = b === undefined || b === "" ? undefined : draft.initializer(b);
  if (b && (ref === undefined || draft.isInput(b) || ref.element !== "float32")) return; // computed by the graph: not ours to change
  const shift = await quantized.meanShift(node, means);
  const bias = ref === undefined ? undefined : toNumbers(await readWeight(ref));
  if (bias !== undefined && bias.length !== shift.length) return;
  const corrected = Float32Array.from(shift, (s, c) => (bias?.[c] ?? 0) - s);
  const added = draft.addInitializer(weight(`${b || node.inputs[1]}_corrected`, float32([shift.length], corrected)));
  draft.update(node, { inputs: [node.inputs[0], node.inputs[1], added] });
}
