import { LowbitError } from "#base/errors";
import { checkRange, type ByteSource } from "#base/bytes";
import { sharedKernels } from "#kernels/shared";
import { bfloat16, float16, maxFinite } from "#math/minifloat";
import { readFloats } from "#model/readFloats";
import { sizeOf } from "#model/tensor";
import { bytesOf, type StoredTensor, storageOf } from "#model/tensorFile";

export type CastType = "float32" | "float16" | "bfloat16";

/** The words for `CastType`. */
export function isCastType(text: string): text is CastType {
  return text === "float32" || text === "float16" || text === "bfloat16";
}

const largestHalf = maxFinite(float16);

/**
 * A tensor in another floating-point type, rounded to nearest when it is read. NaN and infinities stay; numbers that float16 cannot
 * hold throw `quant/scheme`.
 */
export function castTensor(tensor: StoredTensor, element: CastType): StoredTensor {
  if (tensor.type.element === element) return tensor;
  const type = storageOf(element);
  const width = type.blockBytes;
  const count = sizeOf(tensor.shape);
  const { blockLength } = tensor.type;
  const data: ByteSource = {
    name: tensor.data.name,
    size: bytesOf(type, tensor.shape),
    async read(offset, length) {
      checkRange(data, offset, length);
      const first = Math.floor(offset / width / blockLength) * blockLength;
      const last = Math.min(count, Math.ceil((offset + length) / width / blockLength) * blockLength);
      const bytes = encode(await readFloats(tensor, first, last - first), element, tensor.name);
      return bytes.subarray(offset - first * width, offset - first * width + length);
    },
  };
  return { ...tensor, type, data };
}

function encode(values: Float32Array, element: CastType, name: string): Uint8Array {
  if (element === "float32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const codes = new Uint16Array(values.length);
  const format = element === "float16" ? float16 : bfloat16;
  sharedKernels().encodeFloats(values, format, false, codes);
  if (element === "float16") refuseOverflow(values, codes, name);
  return new Uint8Array(codes.buffer);
}

const infinity = 0x7c00;

function refuseOverflow(values: Float32Array, codes: Uint16Array, name: string): void {
  const first = codes.findIndex((code, i) => (code & 0x7fff) === infinity && Number.isFinite(values[i]));
  if (first < 0) return;
  throw new LowbitError(
    "quant/scheme",
    `${name}: ${values[first]} does not fit float16, whose largest is ${largestHalf}`,
    {
      at: { tensor: name },
      hint: "bfloat16 reaches as far as float32",
    },
  );
}
