import { openFileSource } from "#base/fileSource.node";
import { defaultLimits, type Limits } from "#base/limits";
import { locate } from "#data/folder.node";
import { decodeWithSharp } from "#data/images/decodeWithSharp.node";
import { parseJson } from "#data/json";
import { type DataOptions, openDataIn } from "#data/openData";
import { type Preprocess, presets } from "#data/preprocess/preprocess";
import { readPreprocess } from "#data/preprocess/readPreprocess";
import { readAll } from "#data/readAll";
import { loadTokenizer } from "#data/text/loadTokenizer.node";
import type { Dataset } from "#data/types";

export interface DataFileOptions extends Omit<DataOptions, "preprocess"> {
  /** A preset's name, the path of a JSON file, a JSON value, or a preprocessing. */
  readonly preprocess?: DataOptions["preprocess"];
  /** Path of the model's `tokenizer.json`, for text. */
  readonly tokenizer?: string;
}

/**
 * Opens what a user has: a folder of images, `.npy`, `.npz`, MNIST idx, CIFAR `.bin`, `.jsonl`, token ids, text, or raw numbers with a
 * description. Errors are `data/*`, `npy/*`, `npz/*`, `io/*`, and name the file.
 */
export async function openData(path: string, options: DataFileOptions): Promise<Dataset> {
  const limits = { ...defaultLimits, ...options.limits };
  const { folder, file } = await locate(path, limits);
  const { preprocess, tokenizer } = options;
  return openDataIn(folder, file, {
    decodeImage: decodeWithSharp,
    ...options,
    ...(typeof preprocess === "string" && { preprocess: await readPreprocessFile(preprocess, limits) }),
    ...(tokenizer !== undefined && { tokenize: await loadTokenizer(tokenizer) }),
  });
}

/** A preset by its name; anything else is the path of a JSON file. */
async function readPreprocessFile(name: string, limits: Limits): Promise<string | Preprocess> {
  if (Object.hasOwn(presets, name) || !/[./\\]/.test(name)) return name;
  const file = await openFileSource(name);
  try {
    return readPreprocess(parseJson(await readAll(file, limits, "jsonBytes"), { file: name }), name);
  } finally {
    await file.close();
  }
}
