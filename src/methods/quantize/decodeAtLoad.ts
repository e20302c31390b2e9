/**
 * Writes weights as packed integers that standard operators decode: Cast, Sub, Mul. Their inputs are constants, so every runtime
 * evaluates them once when the model is loaded, and the layer computes on floats as before: small on disk, float in memory, at
 * float speed. (A DequantizeLinear would be run again at every inference, or fused into another kernel: stack.md §1.1 P5.)
 */
import { SharedConstants } from "#methods/quantize/parameters";
import { quantizeWeight } from "#methods/quantize/weights";
import type { PlannedWeight } from "#methods/types";
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import type { TensorRef } from "#model/model";
import { int64, elementTypes, sizeOf } from "#model/tensor";
import { parameterShape } from "#quant/granularity";
import { parseScheme, type Scheme } from "#quant/scheme";

/** Replaces a weight for all its readers. Groups run along the flattened inner axes of each output channel. */
export async function writeDecodeAtLoad(
  draft: GraphDraft,
  ref: TensorRef,
  planned: PlannedWeight,
  constants: SharedConstants,
): Promise<void> {
  const scheme = parseScheme(planned.scheme);
  if (scheme === null) return;
  const { name } = ref;
  const step = (suffix: string): string => draft.freshName(`${name}_${suffix}`);
  const grouped =
    scheme.granularity.per === "group" ? groupedView(ref, planned.axis, scheme.granularity.size) : undefined;
  const view = grouped?.dims ?? ref.dims;
  const { decoding, codes } = await quantizeWeight(
    { ...ref, dims: view },
    asChannels(scheme, grouped !== undefined),
    grouped?.axis ?? planned.axis,
    `${name}_q`,
  );
  void parameterShape;
  const dims =
    decoding.granularity.per === "tensor"
      ? []
      : view.map((dim, i) => (decoding.granularity.per === "channel" && i === decoding.granularity.axis ? dim : 1));
  let value = step("float");
  draft.add(
    createNode("Cast", [draft.addInitializer(codes)], [value], { to: elementTypes.float32.code }, { name: "" }),
  );
  const apply = (op: string, operand: string): void => {
    const next = step(op.toLowerCase());
    draft.add(createNode(op, [value, operand], [next], {}, { name: "" }));
    value = next;
  };
  if (decoding.zeroPoint !== null)
    apply("Sub", constants.scale(Float32Array.from(decoding.zeroPoint), dims, `${name}_zero`));
  apply("Mul", constants.scale(decoding.scale, dims, name));
  if (grouped !== undefined) apply("Reshape", constants.add(int64([ref.dims.length], ref.dims), `${name}_dims`));
  draft.replaceUses(name, value, (node) => node.outputs[0] !== value);
}

/** [out, …] with groups of the inner elements as rows: [out·G, size]; null where the size does not divide. */
function groupedView(
  ref: TensorRef,
  axis: number,
  size: number,
): { readonly dims: readonly number[]; readonly axis: number } | undefined {
  const inner = sizeOf(ref.dims.slice(axis + 1));
  if (axis !== 0 || inner % size !== 0) return undefined;
  return { dims: [sizeOf(ref.dims) / size, size], axis: 0 };
}

function asChannels(scheme: Scheme, rows: boolean): Scheme {
  return rows ? { ...scheme, granularity: { per: "channel" } } : scheme;
}
