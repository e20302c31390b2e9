import { LowbitError, type Place } from "#base/errors";
import { isObject } from "#data/json";

/** The classes of a task: which index has which name, and the other way round. */
export interface Classes {
  /** Names by index; "" where the list leaves one out. */
  readonly names: readonly string[];
  /** Index by any of a class's names (ImageNet has "n01440764" and "tench"). */
  readonly indexOf: ReadonlyMap<string, number>;
}

/** Classes from ["cat", "dog"] or [{"index": 0, "wnid": "n01440764", "name": "tench"}, …]. Throws `data/labels`. */
export function readClasses(value: unknown, at: Place): Classes {
  const names: string[] = [];
  const indexOf = new Map<string, number>();
  const rows: readonly unknown[] = Array.isArray(value) ? value : [];
  for (const [position, row] of rows.entries()) {
    const aliases = (isObject(row) ? Object.values(row) : [row]).filter((alias) => typeof alias === "string");
    const index = isObject(row) && row.index !== undefined ? row.index : position;
    if (aliases.length === 0 || typeof index !== "number" || !Number.isSafeInteger(index) || index < 0 || index >= 1e6)
      throw new LowbitError(
        "data/labels",
        `${at.file ?? "classes"}: class ${position} has no name or no proper index`,
        { at },
      );
    names[index] = isObject(row) && typeof row.name === "string" ? row.name : aliases[0];
    for (const alias of aliases) if (!indexOf.has(alias)) indexOf.set(alias, index);
  }
  if (names.length === 0)
    throw new LowbitError("data/labels", `${at.file ?? "classes"} holds no list of class names`, {
      at,
      hint: 'write ["cat", "dog"] in the order of the model\'s classes',
    });
  return { names: Array.from(names, (name) => name ?? ""), indexOf };
}

/** Classes named by sorted folder names or label words: the first is 0, as torchvision's ImageFolder counts. */
export function sortedClasses(words: Iterable<string>): Classes {
  const names = [...new Set(words)].sort();
  return { names, indexOf: new Map(names.map((name, index) => [name, index])) };
}
