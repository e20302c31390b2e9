/** Which images of a folder, and what each shows: from a list of labels, or from the folders they lie in. */
import { type Diagnostic, LowbitError, type Place } from "#base/errors";
import type { Limits } from "#base/limits";
import { type Classes, readClasses, sortedClasses } from "#data/classes";
import { evaluationSplit } from "#data/evaluationSplit";
import { type Folder, relativePath } from "#data/folder";
import { parseCsv } from "#data/images/csv";
import { decodeText, isObject, parseJson } from "#data/json";
import { checkLabel } from "#data/labels";
import { readAll } from "#data/readAll";

interface LabelledImage {
  readonly path: string;
  readonly label?: number;
}

export interface LabelledImages {
  readonly images: readonly LabelledImage[];
  readonly classes?: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A row of a list of labels; a label may be a class index or a word. */
interface Row {
  readonly file: string;
  readonly label: unknown;
  readonly line?: number;
}

/**
 * Labels come from `labels.json` ([{"file", "label"}]), else `labels.csv`, else the folders (sorted names are 0, 1, …, or as
 * `classes.json` says); without any, the images are unlabelled. Throws `data/labels`.
 */
export async function labelImages(paths: readonly string[], folder: Folder, limits: Limits): Promise<LabelledImages> {
  const classes = await readJson("classes.json", folder, limits).then(
    (found) => found && readClasses(found.value, found.at),
  );
  const json = await readJson("labels.json", folder, limits);
  const files = new Set(await folder.list());
  if (json !== undefined) return byList(rowsOfJson(json.value, json.at), json.at, paths, files, classes);
  const csv = await folder.open("labels.csv");
  if (csv === undefined) return byFolder(paths, folder.name, classes);
  const at = { file: csv.name };
  const text = decodeText(await readAll(csv, limits, "jsonBytes"), at);
  return byList(rowsOfCsv(text, files, at), at, paths, files, classes);
}

async function readJson(
  path: string,
  folder: Folder,
  limits: Limits,
): Promise<{ value: unknown; at: Place } | undefined> {
  const source = await folder.open(path);
  if (source === undefined) return undefined;
  const at = { file: source.name };
  return { value: parseJson(await readAll(source, limits, "jsonBytes"), at), at };
}

function rowsOfJson(value: unknown, at: Place): Row[] {
  const fail = (what: string): LowbitError =>
    new LowbitError("data/labels", `${at.file}: ${what}`, { at, hint: 'write [{"file": "a.jpg", "label": 3}, …]' });
  if (!Array.isArray(value)) throw fail("it is no list");
  return value.map((row: unknown, i) => {
    if (!isObject(row) || typeof row.file !== "string" || row.label === undefined)
      throw fail(`row ${i} has no file and label`);
    return { file: row.file, label: row.label };
  });
}

function rowsOfCsv(text: string, known: ReadonlySet<string>, at: Place): Row[] {
  const rows = parseCsv(text);
  const short = rows.findIndex((row) => row.length < 2);
  if (short >= 0 || rows.length === 0)
    throw new LowbitError("data/labels", `${at.file}: row ${short + 1} has no file and label`, {
      at,
      hint: "write file,label",
    });
  const names = rows[0].map((name) => name.toLowerCase());
  const headed = !known.has(rows[0][0].replace(/^\.\//, ""));
  const column = (pattern: RegExp, fallback: number): number => {
    const found = headed ? names.findIndex((name) => pattern.test(name)) : -1;
    return found < 0 ? fallback : found;
  };
  const file = column(/^(file|filename|file_name|image|path|id)$/, 0);
  const label = column(/^(label|class|target|category)/, file === 1 ? 0 : 1);
  return rows.slice(headed ? 1 : 0).map((row, i) => ({
    file: row[file] ?? "",
    label: /^\d+$/.test(row[label]) ? Number(row[label]) : row[label],
    line: i + (headed ? 2 : 1),
  }));
}

function byList(
  rows: readonly Row[],
  at: Place,
  paths: readonly string[],
  files: ReadonlySet<string>,
  given: Classes | undefined,
): LabelledImages {
  const words = rows.map((row) => row.label).filter((label) => typeof label === "string");
  const classes = given ?? (words.length === rows.length && words.length > 0 ? sortedClasses(words) : undefined);
  const labels = new Map<string, number>();
  for (const { file, label, line } of rows) {
    const place = line === undefined ? at : { ...at, line };
    const path = relativePath(file, place);
    if (!files.has(path))
      throw new LowbitError("data/labels", `${at.file} names ${path}, which is not in its folder`, {
        at: place,
        hint: "correct the name, or take the row out",
      });
    if (labels.has(path)) throw new LowbitError("data/labels", `${at.file} names ${path} twice`, { at: place });
    const index = typeof label === "string" ? (classes?.indexOf.get(label) ?? label) : label;
    labels.set(path, checkLabel(index, `the label of ${path}`, place));
  }
  const known = new Set(paths);
  const images = [...labels]
    .filter(([path]) => known.has(path))
    .map(([path, label]): LabelledImage => ({ path, label }));
  const diagnostics: Diagnostic[] = [];
  if (paths.length > images.length) diagnostics.push(left(paths.length - images.length, `not in ${at.file}`));
  if (labels.size > images.length)
    diagnostics.push({
      code: "data/ignored",
      level: "info",
      message: `${labels.size - images.length} rows of ${at.file} name files that were not asked for or are no images`,
    });
  if (classes !== undefined && given === undefined) diagnostics.push(counted(classes, "the labels"));
  return { images, diagnostics, ...(classes && { classes: classes.names }) };
}

function byFolder(paths: readonly string[], name: string, given: Classes | undefined): LabelledImages {
  const diagnostics: Diagnostic[] = [];
  const tops = [...new Set(paths.map(topOf))];
  const split = tops.length > 1 ? evaluationSplit(tops) : tops;
  const chosen = paths.filter((path) => split.includes(topOf(path)));
  if (chosen.length < paths.length) diagnostics.push(left(paths.length - chosen.length, `outside ${split.join(", ")}`));
  // folders that hold all images ("images/", "val/") are no classes
  let depth = 0;
  while (
    chosen.every((path) => path.split("/").length > depth + 2 && path.split("/")[depth] === chosen[0].split("/")[depth])
  )
    depth++;
  const folders: readonly (string | undefined)[] = chosen.map((path) => path.split("/").slice(depth, -1)[0]);
  const names = [...new Set(folders.filter((folder) => folder !== undefined))];
  if (names.length < 2 || folders.includes(undefined)) {
    if (names.length > 0 && folders.includes(undefined))
      diagnostics.push({
        code: "data/unlabelled",
        level: "warning",
        message: `${name} has images both in folders and beside them, so the folders are not taken for classes`,
        hint: "put each image into the folder of its class, or write labels.json",
      });
    return { images: chosen.map((path) => ({ path })), diagnostics };
  }
  const classes = given ?? sortedClasses(names);
  if (given === undefined) diagnostics.push(counted(classes, "the folders"));
  const images = chosen.map((path, i) => {
    const label = classes.indexOf.get(folders[i] ?? "");
    if (label === undefined)
      throw new LowbitError("data/labels", `classes.json has no class ${folders[i]}, which is a folder of ${name}`, {
        at: { file: path },
        hint: `it has ${[...classes.indexOf.keys()].slice(0, 5).join(", ")}, …`,
      });
    return { path, label };
  });
  return { images, classes: classes.names, diagnostics };
}

const topOf = (path: string): string => path.slice(0, path.indexOf("/") + 1);

function left(count: number, why: string): Diagnostic {
  return { code: "data/ignored", level: "info", message: `${count} images are left out: ${why}` };
}

function counted(classes: Classes, from: string): Diagnostic {
  const sample = classes.names
    .slice(0, 3)
    .map((name, index) => `${name} = ${index}`)
    .join(", ");
  return {
    code: "data/classes",
    level: "info",
    message: `the ${classes.names.length} classes are numbered by the sorted names of ${from}: ${sample}${classes.names.length > 3 ? ", …" : ""}`,
    hint: "if the model counts them differently, write classes.json: the names in the model's order",
  };
}
