import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadTokenizer } from "#data/text/loadTokenizer.node";

const folder = mkdtempSync(join(tmpdir(), "lowbit-tokenizer-"));
const file = join(folder, "tokenizer.json");
afterAll(() => rmSync(folder, { recursive: true }));

/** A tokenizer with the shape of @huggingface/tokenizers': ids of letters, unknown ones undefined as there. */
const module = {
  Tokenizer: class {
    readonly #letters: string;
    constructor(tokenizer: object, config: object) {
      this.#letters = (tokenizer as { letters: string }).letters + ((config as { more?: string }).more ?? "");
    }
    encode(text: string): { ids: (number | undefined)[] } {
      return {
        ids: Array.from(text, (letter) => (this.#letters.includes(letter) ? this.#letters.indexOf(letter) : undefined)),
      };
    }
  },
};

describe("a tokenizer.json", () => {
  test("turns text into ids, with the configuration beside it where there is one", async () => {
    writeFileSync(file, '{"letters": "abc"}');
    expect((await loadTokenizer(file, async () => module))("cab")).toEqual([2, 0, 1]);
    writeFileSync(join(folder, "tokenizer_config.json"), '{"more": "d"}');
    expect((await loadTokenizer(file, async () => module))("dad")).toEqual([3, 0, 3]);
  });

  test("that knows no id for a word is refused, not fed as nothing", async () => {
    const tokenize = await loadTokenizer(file, async () => module);
    expect(() => tokenize("az")).toThrow(expect.objectContaining({ code: "data/tokenizer", at: { file } }));
  });

  test("needs the package that reads it", async () => {
    const missing = () => Promise.reject(new Error("Cannot find package"));
    await expect(loadTokenizer(file, missing)).rejects.toMatchObject({
      code: "data/tokenizer",
      hint: expect.stringContaining("npm install"),
    });
  });

  test("that is missing, or no object, is told", async () => {
    await expect(loadTokenizer(join(folder, "none.json"), async () => module)).rejects.toMatchObject({
      code: "io/not-found",
    });
    writeFileSync(join(folder, "bad.json"), "3");
    await expect(loadTokenizer(join(folder, "bad.json"), async () => module)).rejects.toMatchObject({
      code: "data/malformed",
    });
  });
});
