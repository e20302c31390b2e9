import type { ByteSource } from "#base/bytes";
import type { Limits } from "#base/limits";
import { readHeader } from "#formats/safetensors/readHeader";
import { type MetadataValue, textValue } from "#model/metadata";
import type { TensorFile } from "#model/tensorFile";

/**
 * Opens a safetensors file. Only its header is read: each tensor is a range of `source`, which must stay open and unchanged as long as
 * it is used. Throws as `readHeader` does.
 */
export async function readSafetensors(source: ByteSource, limits?: Limits): Promise<TensorFile> {
  const { metadata, tensors } = await readHeader(source, limits);
  return { format: "safetensors", metadata: textValues(metadata), tensors };
}

export function textValues(texts: ReadonlyMap<string, string>): ReadonlyMap<string, MetadataValue> {
  return new Map(Array.from(texts, ([key, text]) => [key, textValue(text)]));
}
