import { dirname, join } from "node:path";
import { LowbitError } from "#base/errors";
import { openFileSource } from "#base/fileSource.node";
import { defaultLimits } from "#base/limits";
import { parseJson } from "#data/json";
import { readAll } from "#data/readAll";

/** What we use of @huggingface/tokenizers, which is optional. */
interface TokenizerModule {
  readonly Tokenizer: new (
    tokenizer: object,
    config: object,
  ) => { encode(text: string): { readonly ids: readonly unknown[] } };
}

/** Not a literal, so that neither compilers nor bundlers ask for what is optional. */
const packageName: string = "@huggingface/tokenizers";

/**
 * A Hugging Face `tokenizer.json`, with the `tokenizer_config.json` beside it where there is one, as a function from text to token
 * ids. Throws `data/tokenizer` when @huggingface/tokenizers is not installed, or knows no id for a word.
 */
export async function loadTokenizer(
  path: string,
  load: () => Promise<unknown> = () => import(packageName),
): Promise<(text: string) => readonly number[]> {
  const at = { file: path };
  const module = (await load().catch((cause: unknown) => {
    throw new LowbitError("data/tokenizer", `${path} needs @huggingface/tokenizers, which is not installed`, {
      at,
      hint: "npm install @huggingface/tokenizers, or give token ids as JSON: [[1, 385, …], …]",
      cause,
    });
  })) as TokenizerModule;
  const tokenizer = new module.Tokenizer(
    await readObject(path),
    await readObject(join(dirname(path), "tokenizer_config.json"), {}),
  );
  return (text) => {
    const { ids } = tokenizer.encode(text);
    const bad = ids.findIndex((id) => typeof id !== "number");
    if (bad < 0) return ids as readonly number[]; // each was just checked
    throw new LowbitError("data/tokenizer", `${path} has no id for token ${bad} of the text`, {
      at,
      hint: "the tokenizer is not the one of this model, or it has no token for unknown words",
    });
  };
}

async function readObject(path: string, fallback?: object): Promise<object> {
  const source = await openFileSource(path).catch((error: unknown) => {
    if (fallback !== undefined && error instanceof LowbitError && error.code === "io/not-found") return undefined;
    throw error;
  });
  if (source === undefined) return fallback ?? {};
  try {
    const value = parseJson(await readAll(source, defaultLimits, "jsonBytes"), { file: path });
    if (typeof value === "object" && value !== null) return value;
    throw new LowbitError("data/malformed", `${path} holds no JSON object`, { at: { file: path } });
  } finally {
    await source.close();
  }
}
