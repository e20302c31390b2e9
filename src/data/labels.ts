/** The right answers: class indices, from whatever form they come in. */
import { LowbitError, type Place } from "#base/errors";
import type { Limits } from "#base/limits";
import { readClasses } from "#data/classes";
import type { Folder } from "#data/folder";
import { isObject, parseJson } from "#data/json";
import { readNpy } from "#data/npy/npy";
import { readAll } from "#data/readAll";
import type { Tensor } from "#model/tensor";

export interface Labels {
  /** A class index per sample. */
  readonly labels: readonly number[];
  /** Names by index, where known. */
  readonly classes?: readonly string[];
}

/** Throws `data/labels` unless there is one whole number ≥ 0 for each of `count` samples. */
export function checkLabels(labels: readonly unknown[], count: number, at: Place): readonly number[] {
  if (labels.length !== count)
    throw new LowbitError("data/labels", `${at.file ?? "labels"} gives ${labels.length} labels for ${count} samples`, {
      at,
    });
  labels.forEach((label, i) => checkLabel(label, `label ${i}`, at));
  return labels as readonly number[]; // each was just checked
}

/** A class index, or `data/labels`. */
export function checkLabel(label: unknown, what: string, at: Place): number {
  if (typeof label === "number" && Number.isSafeInteger(label) && label >= 0) return label;
  throw new LowbitError(
    "data/labels",
    `${at.file ?? "labels"}: ${what} is ${JSON.stringify(label)}, not a class index`,
    {
      at,
      hint: "a label is a whole number, 0 for the first class",
    },
  );
}

/** Labels in order, from JSON: [3, 1, …], [{"label": 3}, …] or {"labels": [3, …], "classes": ["cat", …]}. */
export function labelsFromJson(value: unknown, count: number, at: Place): Labels {
  const list = isObject(value) ? value.labels : value;
  if (!Array.isArray(list))
    throw new LowbitError("data/labels", `${at.file ?? "labels"} holds no list of labels`, {
      at,
      hint: 'write [3, 1, …], [{"label": 3}, …] or {"labels": [3, …]}',
    });
  const plain: unknown[] = list.map((row: unknown) => (isObject(row) ? row.label : row));
  const labels = checkLabels(plain, count, at);
  return isObject(value) && value.classes !== undefined
    ? { labels, classes: readClasses(value.classes, at).names }
    : { labels };
}

/** Labels from an array of one whole number per sample: [N] or [N, 1]. */
export function labelsFromTensor(value: Tensor, count: number, at: Place): Labels {
  const { dims, data } = value;
  if (dims[0] !== count || data.length !== count)
    throw new LowbitError("data/labels", `${at.file ?? "labels"} has shape [${dims.join(", ")}] for ${count} samples`, {
      at,
      hint: "labels are class indices, one per sample; of one-hot rows take numpy.argmax(y, 1)",
    });
  return { labels: checkLabels(Array.from(data as ArrayLike<number | bigint>, Number), count, at) };
}

/** The labels beside a data file, if there are: `<name>.labels.npy` or `<name>.labels.json`. */
export async function siblingLabels(
  path: string,
  count: number,
  folder: Folder,
  limits: Limits,
): Promise<Labels | undefined> {
  const stem = path.replace(/\.[^./]*$/, "");
  for (const name of [`${stem}.labels.npy`, `${stem}.labels.json`]) {
    const found = await readLabels(name, count, folder, limits);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The labels in a `.npy` or `.json` file; undefined where there is no such file. */
export async function readLabels(
  path: string,
  count: number,
  folder: Folder,
  limits: Limits,
): Promise<Labels | undefined> {
  const source = await folder.open(path, { inside: true });
  if (source === undefined) return undefined;
  const at = { file: source.name };
  if (path.endsWith(".npy")) return labelsFromTensor(await readNpy(source, limits), count, at);
  return labelsFromJson(parseJson(await readAll(source, limits, "jsonBytes"), at), count, at);
}
