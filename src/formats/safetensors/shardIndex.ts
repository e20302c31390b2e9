/**
 * The index of a sharded model, `model.safetensors.index.json`: which file holds which tensor, as Hugging Face's libraries write it.
 * → {"metadata": {"total_size": 4096}, "weight_map": {"lm_head.weight": "model-00001-of-00002.safetensors"}}
 */
import type { ByteSource } from "#base/bytes";
import { type Diagnostic, type ErrorCode, LowbitError } from "#base/errors";
import { JsonReader } from "#base/jsonReader";
import { defaultLimits, type Limits } from "#base/limits";
import { locationProblem } from "#base/location";
import { readHeader } from "#formats/safetensors/readHeader";
import { textValues } from "#formats/safetensors/readSafetensors";
import { bytesOf, type StoredTensor, type TensorFile } from "#model/tensorFile";

/**
 * Opens all files of a sharded model as one. `open` gets plain relative paths. Tensors are those of the index, file after file.
 *
 * Throws `safetensors/shard` for an index that its files do not keep, and what `readHeader` throws.
 */
export async function readShards(
  index: ByteSource,
  open: (location: string) => Promise<ByteSource>,
  limits: Limits = defaultLimits,
): Promise<{ readonly file: TensorFile; readonly diagnostics: readonly Diagnostic[] }> {
  const places = await readIndex(index, limits);
  const diagnostics: Diagnostic[] = [];
  const metadata = new Map<string, string>();
  const tensors: StoredTensor[] = [];
  for (const location of new Set(places.values())) {
    const shard = await readHeader(await open(location), limits);
    for (const [key, text] of shard.metadata) {
      const before = metadata.get(key);
      if (before === undefined) metadata.set(key, text);
      else if (before !== text) diagnostics.push(different(key, location));
    }
    const own = shard.tensors.filter(({ name }) => places.get(name) === location);
    for (const { name } of own) places.delete(name);
    tensors.push(...own);
    if (own.length < shard.tensors.length) diagnostics.push(unmapped(shard.tensors.length - own.length, location));
  }
  for (const [tensor, location] of places) {
    const what = `${location} lacks the tensor ${tensor}, which ${index.name} promises there`;
    throw new LowbitError("safetensors/shard", what, { at: { file: location, tensor } });
  }
  return { file: { format: "safetensors", metadata: textValues(metadata), tensors }, diagnostics };
}

function different(key: string, file: string): Diagnostic {
  const message = `the files of the model say different things of ${key}; what the first says is kept`;
  return { code: "safetensors/metadata-differs", level: "warning", message, at: { file } };
}

function unmapped(count: number, file: string): Diagnostic {
  const message = `${count} tensors of ${file} are not in the index, and left out`;
  return { code: "safetensors/not-indexed", level: "warning", message, at: { file } };
}

/** Tensor → file. */
async function readIndex(source: ByteSource, limits: Limits): Promise<Map<string, string>> {
  const refuse = (code: ErrorCode, what: string, byte: number): LowbitError =>
    new LowbitError(code, `${source.name}: ${what}`, { at: { file: source.name, byte } });
  if (source.size > limits.safetensorsHeaderBytes)
    throw refuse("safetensors/limit", `an index of ${source.size} bytes, over ${limits.safetensorsHeaderBytes}`, 0);
  const bytes = await source.read(0, source.size);
  const reader = new JsonReader(bytes, (at, what) => refuse("safetensors/malformed", what, at));
  let places: Map<string, string> | undefined;
  reader.object((key) => {
    if (key !== "weight_map") {
      reader.skip();
      return;
    }
    const found = new Map<string, string>();
    reader.object((tensor) => {
      const at = reader.at;
      const location = reader.string();
      const problem = locationProblem(location);
      if (problem !== undefined)
        throw refuse(
          "safetensors/shard",
          `${tensor} is in ${JSON.stringify(location.slice(0, 200))}, which ${problem}`,
          at,
        );
      found.set(tensor, location);
    });
    places = found;
  });
  reader.end();
  if (places === undefined) throw refuse("safetensors/malformed", "there is no weight_map", 0);
  if (places.size > limits.tensors)
    throw refuse("safetensors/limit", `${places.size} tensors, over the limit of ${limits.tensors}`, 0);
  return places;
}

export interface Shard {
  readonly name: string;
  readonly tensors: readonly StoredTensor[];
}

/**
 * Divides tensors among files of at most `most` bytes of data each (a larger tensor has its own), and makes their index. With one file
 * alone there is none. → model-00001-of-00002.safetensors, model-00002-of-00002.safetensors, model.safetensors.index.json
 */
export function divideIntoShards(
  tensors: readonly StoredTensor[],
  fileName: string,
  most: number,
): { readonly shards: readonly Shard[]; readonly index?: { readonly name: string; readonly text: string } } {
  const parts: StoredTensor[][] = [[]];
  let total = 0;
  let filled = 0;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor.type, tensor.shape);
    if (filled > 0 && filled + bytes > most) {
      parts.push([]);
      filled = 0;
    }
    parts[parts.length - 1].push(tensor);
    filled += bytes;
    total += bytes;
  }
  if (parts.length === 1) return { shards: [{ name: fileName, tensors }] };
  const stem = fileName.replace(/\.safetensors$/i, "");
  const number = (n: number): string => String(n).padStart(5, "0");
  const shards = parts.map((part, i) => ({
    name: `${stem}-${number(i + 1)}-of-${number(parts.length)}.safetensors`,
    tensors: part,
  }));
  const places = shards.flatMap(({ name, tensors: part }) => part.map((tensor) => [tensor.name, name] as const));
  places.sort(([a], [b]) => (a < b ? -1 : 1));
  const map = places.map(([tensor, name]) => `    ${JSON.stringify(tensor)}: ${JSON.stringify(name)}`).join(",\n");
  const text = `{\n  "metadata": {\n    "total_size": ${total}\n  },\n  "weight_map": {\n${map}\n  }\n}\n`;
  return { shards, index: { name: `${stem}.safetensors.index.json`, text } };
}
