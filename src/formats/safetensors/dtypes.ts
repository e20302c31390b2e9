import { type StorageType, storageOf } from "#model/tensorFile";

/** Six-bit floats: four in three bytes. */
function float6(name: string): StorageType {
  return { name, blockLength: 4, blockBytes: 3 };
}

/** Types of safetensors by their names (huggingface/safetensors, tensor.rs, Dtype). Bits are packed, and tensors end on a byte. */
const dtypes: ReadonlyMap<string, StorageType> = new Map([
  ["BOOL", storageOf("bool")],
  ["F4", storageOf("float4e2m1")],
  ["F6_E2M3", float6("float6e2m3")],
  ["F6_E3M2", float6("float6e3m2")],
  ["U8", storageOf("uint8")],
  ["I8", storageOf("int8")],
  ["F8_E5M2", storageOf("float8e5m2")],
  ["F8_E4M3", storageOf("float8e4m3fn")],
  ["F8_E8M0", storageOf("float8e8m0")],
  ["F8_E4M3FNUZ", storageOf("float8e4m3fnuz")],
  ["F8_E5M2FNUZ", storageOf("float8e5m2fnuz")],
  ["I16", storageOf("int16")],
  ["U16", storageOf("uint16")],
  ["F16", storageOf("float16")],
  ["BF16", storageOf("bfloat16")],
  ["I32", storageOf("int32")],
  ["U32", storageOf("uint32")],
  ["F32", storageOf("float32")],
  ["C64", storageOf("complex64")],
  ["F64", storageOf("float64")],
  ["I64", storageOf("int64")],
  ["U64", storageOf("uint64")],
]);

const names: ReadonlyMap<string, string> = new Map([...dtypes].map(([dtype, { name }]) => [name, dtype]));

/** How a dtype is stored; undefined for one that this version does not know. */
export function storageOfDtype(dtype: string): StorageType | undefined {
  return dtypes.get(dtype);
}

/** What safetensors calls a type; undefined where it has no such. */
export function dtypeOf(type: StorageType): string | undefined {
  return names.get(type.name);
}

export const dtypeNames: readonly string[] = [...dtypes.keys()];
