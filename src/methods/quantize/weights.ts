/**
 * Weights as integer codes. Scales are found now; the codes are made again whenever the model is written, so that quantizing a
 * model of any size holds one weight at a time.
 */
import { LowbitError, withPlace } from "#base/errors";
import { meanShift } from "#methods/quantize/correctBias";
import type { Node, TensorRef } from "#model/model";
import { type ElementType, packedBytes, packTensor, sizeOf, type Tensor, toNumbers } from "#model/tensor";
import { readWeight } from "#model/weights";
import { type Affine, decodeAffine, encodeAffine } from "#quant/affine";
import { dtype } from "#quant/dtype";
import type { Granularity } from "#quant/granularity";
import { fitLinear } from "#quant/quantizers/linear/fitLinear";
import { type Scheme, schemeText } from "#quant/scheme";

export interface QuantizedWeight {
  /** Speaks of a tensor of `shape`. */
  readonly decoding: Affine;
  /** The weight's dims; of groups [outer, groups · size, inner], with zeros after a length that groups do not divide. */
  readonly shape: readonly number[];
  /** The codes, made now. */
  readonly load: () => Promise<Int32Array>;
  /** The codes as a weight of this name, of the scheme's dtype (one that ONNX has) and `shape`. */
  readonly codes: (name: string) => TensorRef;
  /** How far rounding moves the mean of each output of a layer, whose input has these means per channel: see `meanShift`. */
  readonly meanShift: (node: Node, means: ArrayLike<number>) => Promise<Float64Array>;
}

/** Where a weight's output channels and its sums lie: see plan/weights. */
export interface WeightAxes {
  readonly channelAxis: number;
  readonly reduction?: readonly [outer: number, length: number, inner: number];
}

/**
 * How groups of `size` divide a length: as many as it takes, all of one length, so that at most one element of each is padding.
 * → 100 in groups of 32: 4 of 25; 257: 9 of 29, 4 elements of padding
 */
export function evenGroups(length: number, size: number): { readonly groups: number; readonly size: number } {
  const groups = Math.ceil(length / size);
  return { groups, size: groups === 0 ? size : Math.ceil(length / groups) };
}

/** Least scale of each channel, where int32 biases would overflow with less: see `biasFloor`. */
export type ScaleFloor = (channel: number) => number;

/** Throws quant/non-finite, with the tensor's name, for weights that hold NaN or infinities. */
export async function quantizeWeight(
  ref: TensorRef,
  scheme: Scheme,
  axes: WeightAxes,
  options: { readonly reduced?: boolean; readonly floor?: ScaleFloor } = {},
): Promise<QuantizedWeight> {
  const { shape, granularity, pad, crop } = viewOf(ref.dims, scheme, axes);
  const affine = { ...scheme, reduced: options.reduced ?? false };
  const read = async (): Promise<Float32Array> => pad(await readFloats(ref));
  let fitted: Affine;
  try {
    fitted = fitLinear(await read(), shape, granularity, scheme, affine);
  } catch (error) {
    throw withPlace(error, { tensor: ref.name });
  }
  const { floor } = options;
  const decoding: Affine =
    floor === undefined ? fitted : { ...fitted, scale: fitted.scale.map((s, i) => Math.max(s, floor(i))) };
  const element = scheme.dtype as ElementType;
  const load = async (): Promise<Int32Array> => encodeAffine(await read(), shape, decoding, affine);
  const bytes = async (): Promise<Uint8Array> => packTensor(codesTensor(await load(), shape, scheme));
  const codes = (name: string): TensorRef => ({
    ...ref,
    name,
    element,
    dims: shape,
    data: { kind: "lazy", length: packedBytes(element, sizeOf(shape)), load: bytes },
  });
  return {
    decoding,
    shape,
    load,
    codes,
    meanShift: async (node, means) => {
      const decoded = crop(decodeAffine(await load(), shape, decoding));
      return meanShift(node, ref.dims, await readFloats(ref), decoded, means);
    },
  };
}

/** A weight's elements as float32, read now. */
export async function readFloats(ref: TensorRef): Promise<Float32Array> {
  const x = toNumbers(await readWeight(ref));
  return x instanceof Float32Array ? x : Float32Array.from(x);
}

interface View {
  readonly shape: readonly number[];
  readonly granularity: Granularity;
  /** Between the weight's elements and those of `shape`. */
  readonly pad: (x: Float32Array) => Float32Array;
  readonly crop: (x: Float32Array) => Float32Array;
}

function viewOf(dims: readonly number[], scheme: Scheme, { channelAxis, reduction }: WeightAxes): View {
  const same = (x: Float32Array): Float32Array => x;
  const sharing = scheme.granularity;
  if (sharing.per === "block" || sharing.per === "token")
    throw new LowbitError(
      "quant/scheme",
      `${schemeText(scheme)}: no operator decodes a weight whose scales are per ${sharing.per}`,
      {
        hint: "take channel or group:32",
      },
    );
  if (sharing.per === "tensor") return { shape: dims, granularity: { per: "tensor" }, pad: same, crop: same };
  const [outer, length, inner] = reduction ?? [1, sizeOf(dims), 1];
  // channels of a recurrence are a direction's own
  const severalAxes = reduction !== undefined && inner === 1 && outer !== dims[channelAxis];
  if (sharing.per === "channel" && !severalAxes)
    return { shape: dims, granularity: { per: "channel", axis: channelAxis }, pad: same, crop: same };
  const { groups, size } = evenGroups(length, sharing.per === "channel" ? length : sharing.size);
  const padded = groups * size;
  const granularity: Granularity = { per: "group", axis: 1, size };
  const shape = [outer, padded, inner];
  if (padded === length) return { shape, granularity, pad: same, crop: same };
  const copy = (x: Float32Array, from: number, to: number): Float32Array => {
    const out = new Float32Array(outer * to * inner);
    const count = Math.min(from, to) * inner;
    for (let o = 0; o < outer; o++) out.set(x.subarray(o * from * inner, o * from * inner + count), o * to * inner);
    return out;
  };
  return { shape, granularity, pad: (x) => copy(x, length, padded), crop: (x) => copy(x, padded, length) };
}

function codesTensor(codes: Int32Array, dims: readonly number[], scheme: Scheme): Tensor {
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
