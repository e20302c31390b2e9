/**
 * Weights as integer codes. Scales are found now; the codes are made again whenever the model is written, so that quantizing a
 * model of any size holds one weight at a time.
 */
import { meanShift } from "#methods/quantize/correctBias";
import type { Node, TensorRef } from "#model/model";
import { packTensor, toNumbers, type ElementType } from "#model/tensor";
import { readWeight } from "#model/weights";
import { type Affine, decodeAffine, encodeAffine, fitAffine } from "#quant/affine";
import { dtype } from "#quant/dtype";
import type { Granularity } from "#quant/granularity";
import type { Scheme } from "#quant/scheme";
import { packedBytes, sizeOf } from "#model/tensor";

export interface QuantizedWeight {
  readonly decoding: Affine;
  /** The codes, as a weight of the scheme's dtype and the original's shape. */
  readonly codes: TensorRef;
  /** How far rounding moves the mean of each output of a layer, whose input has these means per channel: see `meanShift`. */
  meanShift(node: Node, means: ArrayLike<number>): Promise<Float64Array>;
}

/** `axis`: output channels for per-channel schemes, the reduction axis for groups. */
export function granularityOf(scheme: Scheme, axis: number): Granularity {
  const { granularity } = scheme;
  if (granularity.per === "group") return { per: "group", axis, size: granularity.size };
  return granularity.per === "channel" ? { per: "channel", axis } : { per: "tensor" };
}

/** Least scale of each channel, where int32 biases would overflow with less: see `biasFloor`. */
export type ScaleFloor = (channel: number) => number;

export async function quantizeWeight(
  ref: TensorRef,
  scheme: Scheme,
  axis: number,
  name: string,
  options: { readonly reduced?: boolean; readonly floor?: ScaleFloor } = {},
): Promise<QuantizedWeight> {
  const granularity = granularityOf(scheme, axis);
  const affine = { symmetric: scheme.symmetric, reduced: options.reduced ?? false };
  const read = async (): Promise<Float32Array> => {
    const x = toNumbers(await readWeight(ref));
    return x instanceof Float32Array ? x : Float32Array.from(x);
  };
  const fitted = fitAffine(await read(), ref.dims, scheme.dtype, granularity, affine);
  const { floor } = options;
  const decoding: Affine =
    floor === undefined ? fitted : { ...fitted, scale: fitted.scale.map((s, i) => Math.max(s, floor(i))) };
  const element = scheme.dtype as ElementType;
  const encode = async (x: Float32Array): Promise<Int32Array> => encodeAffine(x, ref.dims, decoding, affine);
  const load = async (): Promise<Uint8Array> => packTensor(codesTensor(await encode(await read()), ref.dims, scheme));
  const codes: TensorRef = {
    ...ref,
    name,
    element,
    data: { kind: "lazy", length: packedBytes(element, sizeOf(ref.dims)), load },
  };
  return {
    decoding,
    codes,
    async meanShift(node, means) {
      const x = await read();
      return meanShift(node, ref.dims, x, decodeAffine(await encode(x), ref.dims, decoding), means);
    },
  };
}

function codesTensor(
  codes: Int32Array,
  dims: readonly number[],
  scheme: Scheme,
): { type: ElementType; dims: readonly number[]; data: Int8Array | Uint8Array | Int16Array | Uint16Array } {
  const { signed, bits } = dtype(scheme.dtype);
  const data =
    bits <= 8
      ? signed
        ? Int8Array.from(codes)
        : Uint8Array.from(codes)
      : signed
        ? Int16Array.from(codes)
        : Uint16Array.from(codes);
  return { type: scheme.dtype as ElementType, dims, data };
}
