/** GGUF's types of metadata by their ids (docs/gguf.md, gguf_metadata_value_type). */
import type { MetadataNumberType } from "#model/metadata";

export const stringId = 8;
export const arrayId = 9;

export const numberTypes: ReadonlyMap<number, MetadataNumberType> = new Map([
  [0, "uint8"],
  [1, "int8"],
  [2, "uint16"],
  [3, "int16"],
  [4, "uint32"],
  [5, "int32"],
  [6, "float32"],
  [7, "bool"],
  [10, "uint64"],
  [11, "int64"],
  [12, "float64"],
]);

export const numberIds: ReadonlyMap<MetadataNumberType, number> = new Map(
  Array.from(numberTypes, ([id, type]) => [type, id]),
);
