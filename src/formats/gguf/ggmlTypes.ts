/**
 * Types of GGUF's tensors: numbers and blocks. Ids are ggml's (ggml.h, enum ggml_type), sizes those of its block structures
 * (ggml-common.h).
 */
import { type StorageType, storageOf } from "#model/tensorFile";
import { type GgmlTypeName, ggmlTypes } from "#quant/ggml/index";
import type { GgmlType } from "#quant/ggml/types";

/** Those of its numbers that ggml's own blocks are listed with have its names there. */
const numbers = {
  f32: [0, storageOf("float32")],
  f16: [1, storageOf("float16")],
  i8: [24, storageOf("int8")],
  i16: [25, storageOf("int16")],
  i32: [26, storageOf("int32")],
  i64: [27, storageOf("int64")],
  f64: [28, storageOf("float64")],
  bf16: [30, storageOf("bfloat16")],
} as const;

/** Blocks that nothing here encodes or decodes: they pass through as they are. */
const opaque: readonly (readonly [id: number, name: string, blockLength: number, blockBytes: number])[] = [
  [16, "iq2_xxs", 256, 66],
  [17, "iq2_xs", 256, 74],
  [18, "iq3_xxs", 256, 98],
  [19, "iq1_s", 256, 50],
  [21, "iq3_s", 256, 110],
  [22, "iq2_s", 256, 82],
  [29, "iq1_m", 256, 56],
  [40, "nvfp4", 64, 36],
  [41, "q1_0", 128, 18],
];

const types: ReadonlyMap<number, StorageType> = new Map([
  ...opaque.map(([id, name, blockLength, blockBytes]) => [id, { name, blockLength, blockBytes }] as const),
  ...Object.entries<GgmlType>(ggmlTypes).map(
    ([name, { id, elements, bytes }]) => [id, { name, blockLength: elements, blockBytes: bytes }] as const,
  ),
  ...Object.values(numbers),
]);

const ids: ReadonlyMap<string, number> = new Map(Array.from(types, ([id, { name }]) => [name, id]));

/** How a type is stored; undefined for an id that this version does not know, whose size nobody can tell. */
export function storageOfGgmlType(id: number): StorageType | undefined {
  return types.get(id);
}

/** ggml's id of a type; undefined where it has no such. */
export function ggmlTypeOf({ name }: StorageType): number | undefined {
  return ids.get(name);
}

/** How tensors of a type of the quantizer's registry are stored: f16 as any float16 is. */
export function storageOfBlocks(name: GgmlTypeName): StorageType {
  return types.get(ggmlTypes[name].id) as StorageType; // the table has every row of the registry
}
