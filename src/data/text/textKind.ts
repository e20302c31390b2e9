import { LowbitError } from "#base/errors";
import { openIn } from "#data/folder";
import { decodeText } from "#data/json";
import { readAll } from "#data/readAll";
import { tokenDataset } from "#data/tokens/tokenDataset";
import type { DataKind, Dataset, ReadOptions } from "#data/types";

/** Plain text for language models. It needs the model's own tokenizer: other ids mean other words. */
export const textKind: DataKind = {
  about: "text (.txt), with the model's tokenizer",
  many: false,
  named: (path) => path.endsWith(".txt"),
  sniff: () => false,
  async open([path], folder, options) {
    const source = await openIn(folder, path);
    const text = decodeText(await readAll(source, options.limits, "jsonBytes"), { file: source.name });
    return textDataset(source.name, "text", [text], options);
  },
};

/** Texts as windows of tokens. Throws `data/tokenizer` when none is given. */
export function textDataset(name: string, kind: string, texts: readonly string[], options: ReadOptions): Dataset {
  const { tokenize } = options;
  if (tokenize === undefined)
    throw new LowbitError(
      "data/tokenizer",
      `${name} is text, and there is no tokenizer to turn it into the model's tokens`,
      {
        at: { file: name },
        hint: "give the model's tokenizer.json, or the token ids as JSON: [[1, 385, …], …]",
      },
    );
  return tokenDataset(name, kind, texts.map(tokenize), options);
}
