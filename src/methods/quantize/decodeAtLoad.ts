/**
 * Writes weights small, behind standard operators that decode them: Cast, Sub, Mul. Their inputs are constants, so every runtime
 * evaluates them once when the model is loaded, and the layer computes on floats as before: small on disk, float in memory, at
 * float speed. (A DequantizeLinear would be run again at every inference, or fused into another kernel: stack.md §1.1 P5.)
 */
import type { Weight } from "#methods/plan/weights";
import { integersAsFloats } from "#methods/quantize/integersAsFloats";
import type { SharedConstants } from "#methods/quantize/parameters";
import { correctBiases } from "#methods/quantize/correctBiases";
import { quantizeWeight, type QuantizedWeight, readFloats } from "#methods/quantize/weights";
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";
import { elementTypes, fromNumbers, int64 } from "#model/tensor";
import { lazyWeight } from "#model/weights";
import type { Scheme } from "#quant/scheme";

export interface DecodeAtLoadOptions {
  readonly constants: SharedConstants;
  readonly channelMeans: ReadonlyMap<string, ArrayLike<number>>;
  /** Operator set of the model: newer ones have types for narrow integers. */
  readonly opset: number;
}

/** Replaces a weight for all its readers, and takes the shift of their means off their biases. */
export async function writeDecodeAtLoad(
  draft: GraphDraft,
  weight: Weight,
  scheme: Scheme,
  options: DecodeAtLoadOptions,
): Promise<void> {
  const { ref, uses } = weight;
  const quantized = await quantizeWeight(ref, scheme, weight);
  const value = decodedValue(draft, weight, quantized, scheme, options);
  await correctBiases(draft, uses, options.channelMeans, quantized.meanShift);
  draft.replaceUses(ref.name, value);
}

/**
 * The nodes from codes to float32 of the weight's dims; returns that value's name. `codes`: an initializer of one code an element
 * that holds them already.
 */
export function decodedValue(
  draft: GraphDraft,
  { ref, channelAxis, reduction: [outer, length, inner] }: Weight,
  { decoding, shape, load }: QuantizedWeight,
  scheme: Scheme,
  { constants, opset }: Pick<DecodeAtLoadOptions, "constants" | "opset">,
  codes?: string,
): string {
  const { name, dims } = ref;
  const { granularity, scale, zeroPoint } = decoding;
  // groups lie along an axis of their own, so that their parameters broadcast
  const grouped = granularity.per === "group";
  const view = grouped ? [outer, shape[1] / granularity.size, granularity.size, inner] : dims;
  const parameterDims = grouped
    ? [outer, view[1], 1, inner]
    : granularity.per === "tensor"
      ? []
      : dims.map((dim, i) => (i === channelAxis ? dim : 1));
  let value = codes ?? "";
  const apply = (op: string, operands: readonly string[], attributes = {}): void => {
    const next = draft.freshName(`${name}_${op.toLowerCase()}`);
    draft.add(createNode(op, [value, ...operands], [next], attributes, { name: "" }));
    value = next;
  };
  const shapeOf = (sizes: readonly number[]): string => constants.add(int64([sizes.length], sizes), "lowbit_shape");
  if (codes !== undefined) apply("Cast", [], { to: elementTypes.float32.code });
  else value = integersAsFloats(draft, constants, { name: `${name}_q`, dtype: scheme.dtype, dims: view, load }, opset);
  if (zeroPoint !== null) {
    const zeros = { name: `${name}_zero`, dtype: scheme.dtype, dims: parameterDims, load: async () => zeroPoint };
    apply("Sub", [integersAsFloats(draft, constants, zeros, opset)]);
  }
  apply("Mul", [constants.scale(scale, parameterDims, name)]);
  if (!grouped) return value;
  if (shape[1] !== length) {
    apply("Reshape", [shapeOf(shape)]);
    apply("Slice", [shapeOf([0]), shapeOf([length]), shapeOf([1])]);
  }
  if (view.join() !== dims.join()) apply("Reshape", [shapeOf(dims)]);
  return value;
}

/** Half precision: Cast is all the decoding there is. */
export function writeHalf(draft: GraphDraft, { ref }: Weight): void {
  const half = lazyWeight({ ...ref, name: `${ref.name}_half`, element: "float16" }, async () =>
    fromNumbers("float16", ref.dims, await readFloats(ref), true),
  );
  const value = draft.freshName(`${ref.name}_float`);
  const name = draft.addInitializer(half);
  draft.add(createNode("Cast", [name], [value], { to: elementTypes.float32.code }, { name: "" }));
  draft.replaceUses(ref.name, value);
}
