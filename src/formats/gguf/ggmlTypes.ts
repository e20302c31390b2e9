/**
 * Types of GGUF's tensors: numbers and blocks. Ids are ggml's (ggml.h, enum ggml_type), sizes those of its block structures
 * (ggml-common.h). Blocks that nothing here decodes pass through as they are.
 */
import { type StorageType, storageOf } from "#model/tensorFile";

const block = (name: string, blockLength: number, blockBytes: number): StorageType => ({
  name,
  blockLength,
  blockBytes,
});

const types: ReadonlyMap<number, StorageType> = new Map([
  [0, storageOf("float32")],
  [1, storageOf("float16")],
  [2, block("q4_0", 32, 18)],
  [3, block("q4_1", 32, 20)],
  [6, block("q5_0", 32, 22)],
  [7, block("q5_1", 32, 24)],
  [8, block("q8_0", 32, 34)],
  [9, block("q8_1", 32, 36)],
  [10, block("q2_k", 256, 84)],
  [11, block("q3_k", 256, 110)],
  [12, block("q4_k", 256, 144)],
  [13, block("q5_k", 256, 176)],
  [14, block("q6_k", 256, 210)],
  [15, block("q8_k", 256, 292)],
  [16, block("iq2_xxs", 256, 66)],
  [17, block("iq2_xs", 256, 74)],
  [18, block("iq3_xxs", 256, 98)],
  [19, block("iq1_s", 256, 50)],
  [20, block("iq4_nl", 32, 18)],
  [21, block("iq3_s", 256, 110)],
  [22, block("iq2_s", 256, 82)],
  [23, block("iq4_xs", 256, 136)],
  [24, storageOf("int8")],
  [25, storageOf("int16")],
  [26, storageOf("int32")],
  [27, storageOf("int64")],
  [28, storageOf("float64")],
  [29, block("iq1_m", 256, 56)],
  [30, storageOf("bfloat16")],
  [34, block("tq1_0", 256, 54)],
  [35, block("tq2_0", 256, 66)],
  [39, block("mxfp4", 32, 17)],
  [40, block("nvfp4", 64, 36)],
  [41, block("q1_0", 128, 18)],
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

/** Types that are made of blocks with scales. */
export function isBlockType({ name, element }: StorageType): boolean {
  return element === undefined && ids.has(name);
}
