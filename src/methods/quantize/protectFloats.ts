/**
 * ONNX Runtime (1.20 and newer) quantizes the float weights of a Conv, ConvTranspose or Gemm that it finds between a
 * DequantizeLinear and a QuantizeLinear, one scale for the whole tensor, even where the file keeps that layer in float on
 * purpose (its WeightBiasQuantization; a Relu or Clip behind the layer, or a Pad before it, does not stop it). On MobileNetV1 that
 * costs 11 dB. A clamp to just what the codes can hold, behind the DequantizeLinear, changes no value and keeps the layer as written.
 */
import { SharedConstants } from "#methods/quantize/parameters";
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { Node } from "#model/model";
import { elementTypes, float32, toNumbers } from "#model/tensor";
import { readWeight } from "#model/weights";

const requantized = new Set(["Conv", "ConvTranspose", "Gemm"]);

/** Inserts the clamps that a finished quantized graph needs. */
export async function protectFloats(draft: GraphDraft): Promise<void> {
  const constants = new SharedConstants(draft);
  for (const original of draft.nodes()) {
    const node = draft.current(original);
    if (node === undefined || !requantized.has(node.op) || node.domain !== "") continue;
    if (draft.producer(node.inputs[1])?.op === "DequantizeLinear" || !endsInCodes(draft, node)) continue;
    const entry = entryFromCodes(draft, node);
    if (entry === undefined) continue;
    const { decoded, reader } = entry;
    const [low, high] = await codeBounds(draft, decoded);
    const bound = (value: number): string => constants.add(float32([], [value]), `${decoded.outputs[0]}_bound`);
    draft.insertAfter(
      decoded.outputs[0],
      (source, result) => [createNode("Clip", [source, bound(low), bound(high)], [result], {}, { name: "" })],
      { uses: (user) => user === draft.current(reader), name: `${decoded.outputs[0]}_clamped` },
    );
  }
}

/** Whether all that follows a layer is a QuantizeLinear, perhaps behind a Relu or Clip. */
function endsInCodes(draft: GraphDraft, layer: Node): boolean {
  let readers = draft.consumers(layer.outputs[0]);
  if (readers.length === 1 && ["Relu", "Clip"].includes(readers[0].op) && !draft.isOutput(layer.outputs[0])) {
    readers = draft.consumers(readers[0].outputs[0]);
  }
  return readers.some((reader) => reader.op === "QuantizeLinear");
}

/** The DequantizeLinear that a layer's input comes from, perhaps through a Pad, and the node that reads it. */
function entryFromCodes(draft: GraphDraft, layer: Node): { readonly decoded: Node; readonly reader: Node } | undefined {
  let reader = layer;
  let before = draft.producer(layer.inputs[0]);
  if (before?.op === "Pad") {
    reader = before;
    before = draft.producer(before.inputs[0]);
  }
  return before?.op === "DequantizeLinear" ? { decoded: before, reader } : undefined;
}

/** Least and greatest value that a DequantizeLinear can give. */
async function codeBounds(draft: GraphDraft, { inputs: [codes, s, z] }: Node): Promise<readonly [number, number]> {
  const scaleRef = draft.initializer(s);
  const zeroRef = z === undefined ? undefined : draft.initializer(z);
  if (scaleRef === undefined) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [scale] = toNumbers(await readWeight(scaleRef));
  const [zero] = zeroRef === undefined ? [0] : toNumbers(await readWeight(zeroRef));
  const { bits } = elementTypes[zeroRef?.element ?? draft.initializer(codes)?.element ?? "uint8"];
  const signed = zeroRef?.element.startsWith("int") ?? false;
  const least = signed ? -(2 ** (bits - 1)) : 0;
  return [Math.fround((least - zero) * scale), Math.fround((least + 2 ** bits - 1 - zero) * scale)];
}
