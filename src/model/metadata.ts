/** What a file says of itself, by key: GGUF's typed values. safetensors and ONNX have texts only (see `metadataText`). */

/** Numbers by the type they are stored as. */
const numberArrays = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  /** 0 or 1. */
  bool: Uint8Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float64: Float64Array,
} as const;

export type MetadataNumberType = keyof typeof numberArrays;
export type MetadataNumbers = InstanceType<(typeof numberArrays)[MetadataNumberType]>;

export type MetadataValue =
  | { readonly type: Exclude<MetadataNumberType, "bool" | "uint64" | "int64">; readonly value: number }
  | { readonly type: "uint64" | "int64"; readonly value: bigint }
  | { readonly type: "bool"; readonly value: boolean }
  /** Bytes where they are not UTF-8, as pieces of words in a tokenizer may be. */
  | { readonly type: "string"; readonly value: string | Uint8Array }
  | MetadataArray;

export type MetadataArray = { readonly type: "array" } & (
  | { readonly of: MetadataNumberType; readonly values: MetadataNumbers }
  | { readonly of: "string"; readonly values: readonly (string | Uint8Array)[] }
  | { readonly of: "array"; readonly values: readonly MetadataArray[] }
);

/** The array class and the width of a number type. */
export function numberArray(type: MetadataNumberType): (typeof numberArrays)[MetadataNumberType] {
  return numberArrays[type];
}

export function isNumberType(type: string): type is MetadataNumberType {
  return Object.hasOwn(numberArrays, type);
}

export function textValue(value: string): MetadataValue {
  return { type: "string", value };
}

/** The text of a value that is one; undefined for others. */
export function textOf(value: MetadataValue | undefined): string | undefined {
  return value?.type === "string" && typeof value.value === "string" ? value.value : undefined;
}
