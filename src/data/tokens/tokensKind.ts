import { LowbitError } from "#base/errors";
import { openIn } from "#data/folder";
import { isObject, parseJson } from "#data/json";
import { readAll } from "#data/readAll";
import { tokenDataset } from "#data/tokens/tokenDataset";
import type { DataKind } from "#data/types";

/** Token ids in JSON: [[1, 385, …], …], one list a text; [1, 385, …], one text; or either as {"ids": …}. */
export const tokensKind: DataKind = {
  about: "token ids (.json): [[ids of a text], …], or {ids}",
  many: false,
  named: (path) => /tok[^/]*\.json$/.test(path) && !/tokenizer[^/]*\.json$/.test(path),
  sniff: (head, path) =>
    path.endsWith(".json") && /^\s*(\[\s*)+\d|^\s*\{\s*"ids"\s*:/.test(new TextDecoder().decode(head)),
  async open([path], folder, options) {
    const source = await openIn(folder, path);
    const at = { file: source.name };
    const value = parseJson(await readAll(source, options.limits, "jsonBytes"), at);
    const ids = isObject(value) ? value.ids : value;
    const lists: readonly unknown[] = Array.isArray(ids) ? (Array.isArray(ids[0]) ? ids : [ids]) : [];
    const documents = lists.map((list, i) => {
      const bad = Array.isArray(list) ? list.find((id) => !isToken(id)) : list;
      if (!Array.isArray(list) || bad !== undefined)
        throw new LowbitError(
          "data/malformed",
          `${source.name}: text ${i} holds ${JSON.stringify(bad)?.slice(0, 40)}, which is no token id`,
          {
            at,
            hint: "write [[1, 385, …], …]: one list of whole numbers ≥ 0 for each text",
          },
        );
      return Int32Array.from(list as readonly number[]); // each was just checked
    });
    if (documents.length === 0)
      throw new LowbitError("data/malformed", `${source.name} holds no lists of token ids`, {
        at,
        hint: "write [[1, 385, …], …]",
      });
    return tokenDataset(source.name, "tokens", documents, options);
  },
};

function isToken(id: unknown): boolean {
  return typeof id === "number" && Number.isInteger(id) && id >= 0 && id < 2 ** 31;
}
