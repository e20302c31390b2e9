/** Elements of stored tensors as float32, a range at a time. */
import { LowbitError } from "#base/errors";
import { toNumbers, unpackTensor } from "#model/tensor";
import type { StorageType, StoredTensor } from "#model/tensorFile";
import { codeValues } from "#quant/codeValues";
import { dtype, type FloatRow } from "#quant/dtype";
import { decodeGgml } from "#quant/ggml/codec";
import { type GgmlTypeName, ggmlTypes } from "#quant/ggml/index";

const half = dtype("float16") as FloatRow; // its row in the table is one of floats

/** Whether elements are plain floating-point numbers, of 16 bits or more. */
export function isPlainFloat({ element }: StorageType): boolean {
  return element === "float32" || element === "float16" || element === "bfloat16" || element === "float64";
}

/** Whether `readFloats` knows the type: plain floats, and the blocks of ggml that are decoded here. */
export function isDecodable(type: StorageType): boolean {
  return isPlainFloat(type) || Object.hasOwn(ggmlTypes, type.name);
}

/**
 * `count` elements from the `first` on, row by row; float64 rounds. Both have to be multiples of the type's block, or `count` to reach
 * the end. Throws `model/type` for types that are no floats, or that nothing here decodes.
 */
export async function readFloats(
  { name, type, data }: StoredTensor,
  first: number,
  count: number,
): Promise<Float32Array> {
  const { blockLength, blockBytes, element } = type;
  const start = (first / blockLength) * blockBytes;
  const bytes = await data.read(start, Math.ceil(count / blockLength) * blockBytes);
  switch (element) {
    case "float32":
      // a copy where it does not begin at a multiple of 4
      return bytes.byteOffset % 4 === 0
        ? new Float32Array(bytes.buffer, bytes.byteOffset, count)
        : new Float32Array(new Uint8Array(bytes).buffer);
    case "float16":
      return looked(halves(bytes), codeValues(half));
    case "bfloat16": {
      const codes = halves(bytes);
      const bits = new Uint32Array(count);
      for (let i = 0; i < count; i++) bits[i] = codes[i] << 16;
      return new Float32Array(bits.buffer);
    }
    case "float64":
      return Float32Array.from(toNumbers(unpackTensor(element, [count], bytes)));
    default:
  }
  if (Object.hasOwn(ggmlTypes, type.name)) return decodeGgml(type.name as GgmlTypeName, bytes);
  throw new LowbitError("model/type", `${name} is ${type.name}, which is no float that lowbit decodes`, {
    at: { tensor: name },
    hint: "leave it as it is: --keep",
  });
}

function halves(bytes: Uint8Array): Uint16Array {
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}

function looked(codes: Uint16Array, values: Float32Array): Float32Array {
  const out = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) out[i] = values[codes[i]];
  return out;
}
