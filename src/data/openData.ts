/** Opening data, wherever it lies: finds the kind, then the samples. */
import { LowbitError } from "#base/errors";
import { defaultLimits, type Limits } from "#base/limits";
import { evaluationSplit } from "#data/evaluationSplit";
import { type Folder, openIn, withoutGzip } from "#data/folder";
import type { DecodeImage } from "#data/images/decodeImage";
import { decodeWithCanvas } from "#data/images/decodeWithCanvas";
import { type DataKindName, dataKinds } from "#data/index";
import { type Preprocess, preset } from "#data/preprocess/preprocess";
import { readPreprocess } from "#data/preprocess/readPreprocess";
import { spread, take } from "#data/spread";
import type { DataKind, Dataset, ModelInput, ReadOptions } from "#data/types";

export interface DataOptions {
  /** What the model takes (`modelInputs`). */
  readonly inputs: readonly ModelInput[];
  /** A preset's name, a JSON value (`readPreprocess`), or a preprocessing. Default: by kind, said in `diagnostics`. */
  readonly preprocess?: string | Preprocess | Readonly<Record<string, unknown>>;
  /** Take so many, spread evenly. Default: all. */
  readonly samples?: number;
  /** Default: found from the names and the first bytes. */
  readonly kind?: DataKindName;
  readonly limits?: Partial<Limits>;
  /** Default: the browser's. */
  readonly decodeImage?: DecodeImage;
  readonly tokenize?: (text: string) => readonly number[];
  readonly sequenceLength?: number;
  readonly stride?: number;
}

/**
 * The data in one file of a folder, or in the whole folder where no path is given. `.gz` files are unpacked on the way.
 * Throws `data/none` where there is nothing to read, `data/unsupported` where the kind cannot be told, and what the kind throws.
 */
export async function openDataIn(folder: Folder, path: string | undefined, options: DataOptions): Promise<Dataset> {
  const read = readOptions(options);
  const plain = withoutGzip(folder, read.limits);
  const found =
    path === undefined
      ? await findInFolder(plain, options.kind)
      : await findKind(plain, path.replace(/\.gz$/, ""), options.kind);
  const dataset = await found.kind.open(found.paths, plain, read);
  if (found.left > 0) {
    const message = `of ${folder.name}, ${found.paths.join(", ")} was taken; ${found.left} other files of that kind were left out`;
    return sampled(
      { ...dataset, diagnostics: [{ code: "data/split", level: "info", message }, ...dataset.diagnostics] },
      options,
    );
  }
  return sampled(dataset, options);
}

/** The options with their defaults, and the preprocessing read. */
export function readOptions(options: DataOptions): ReadOptions {
  const { inputs, preprocess, tokenize, sequenceLength, stride } = options;
  return {
    inputs,
    limits: { ...defaultLimits, ...options.limits },
    decodeImage: options.decodeImage ?? decodeWithCanvas,
    ...(preprocess !== undefined && { preprocess: preprocessOf(preprocess) }),
    ...(tokenize && { tokenize }),
    ...(sequenceLength !== undefined && { sequenceLength }),
    ...(stride !== undefined && { stride }),
  };
}

/** The data set, or so many of its samples as were asked for. */
export function sampled(dataset: Dataset, { samples }: DataOptions): Dataset {
  return samples === undefined || samples >= dataset.length ? dataset : take(dataset, spread(dataset.length, samples));
}

function preprocessOf(wanted: NonNullable<DataOptions["preprocess"]>): Preprocess {
  if (typeof wanted === "string") return preset(wanted);
  return isPreprocess(wanted) ? wanted : readPreprocess(wanted, "preprocess");
}

function isPreprocess(wanted: Preprocess | Readonly<Record<string, unknown>>): wanted is Preprocess {
  return "geometry" in wanted;
}

interface Found {
  readonly kind: DataKind;
  readonly paths: readonly string[];
  /** Files of the same kind that were not taken, because their names say training or calibration. */
  readonly left: number;
}

const kinds: readonly DataKind[] = Object.values(dataKinds);

async function findKind(folder: Folder, path: string, wanted: DataKindName | undefined): Promise<Found> {
  const source = await openIn(folder, path);
  const head = await source.read(0, Math.min(source.size, 4096));
  const kind =
    wanted === undefined
      ? (kinds.find((row) => row.sniff(head, path)) ?? kinds.find((row) => row.named(path)))
      : dataKinds[wanted];
  if (kind !== undefined) return { kind, paths: [path], left: 0 };
  throw new LowbitError("data/unsupported", `${source.name} is no data that lowbit reads`, {
    at: { file: source.name },
    hint: `it reads ${kinds.map((row) => row.about).join("; ")}`,
  });
}

async function findInFolder(folder: Folder, wanted: DataKindName | undefined): Promise<Found> {
  const files = await folder.list();
  for (const kind of wanted === undefined ? kinds : [dataKinds[wanted]]) {
    const named = files.filter((path) => kind.named(path));
    if (named.length === 0) continue;
    // images find their splits themselves: theirs are folders
    const paths = kind === dataKinds.images ? named : evaluationSplit(named);
    if (kind.many || paths.length === 1) return { kind, paths, left: named.length - paths.length };
    throw new LowbitError(
      "data/unsupported",
      `${folder.name} holds several data sets: ${paths.slice(0, 8).join(", ")}`,
      {
        at: { file: folder.name },
        hint: "name one of them",
      },
    );
  }
  throw new LowbitError("data/none", `${folder.name} holds no data that lowbit reads (${files.length} files)`, {
    at: { file: folder.name },
    hint: `it reads ${kinds.map((row) => row.about).join("; ")}`,
  });
}
