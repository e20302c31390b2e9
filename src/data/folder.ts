/** A folder as the readers of data see it: on disk, or the files someone dropped on a web page. */
import { type ByteSource, blobSource, bytesSource } from "#base/bytes";
import { LowbitError, type Place } from "#base/errors";
import type { Limits } from "#base/limits";
import { inflate, isGzip } from "#data/inflate";
import { readAll } from "#data/readAll";

export interface Folder {
  readonly name: string;
  /** Every file below, as relative paths with "/", in code unit order. Hidden files (".DS_Store") are not among them. */
  list(): Promise<readonly string[]>;
  /** One of its files; undefined where there is none. `inside`: a link that leads out of the folder is refused. */
  open(path: string, options?: { readonly inside?: boolean }): Promise<ByteSource | undefined>;
}

/** Blobs with relative paths as a folder; a first directory that all share is taken off. */
export function folderOfFiles(files: Iterable<readonly [path: string, blob: Blob]>, name = "files"): Folder {
  const entries = [...files];
  const top = `${entries[0]?.[0].split("/")[0] ?? ""}/`;
  const cut = entries.every(([path]) => path.startsWith(top)) ? top.length : 0;
  const byPath = new Map(entries.map(([path, blob]) => [path.slice(cut), blob]));
  const paths = [...byPath.keys()].filter((path) => !isHidden(path)).sort();
  return {
    name,
    list: async () => paths,
    async open(path) {
      const blob = byPath.get(path);
      return blob === undefined ? undefined : blobSource(blob, path);
    },
  };
}

/** The same folder with its `.gz` files unpacked when they are opened, and listed without that ending. */
export function withoutGzip(folder: Folder, limits: Limits): Folder {
  return {
    name: folder.name,
    list: async () => [...new Set((await folder.list()).map((path) => path.replace(/\.gz$/, "")))].sort(),
    async open(path, options) {
      const plain = await folder.open(path, options);
      if (plain !== undefined) return plain;
      const packed = await folder.open(`${path}.gz`, options);
      if (packed === undefined) return undefined;
      const at = { file: packed.name };
      const bytes = await readAll(packed, limits, "unpackedBytes");
      if (!isGzip(bytes))
        throw new LowbitError("data/malformed", `${packed.name} is not gzip, as its name says`, { at });
      return bytesSource(await inflate("gzip", bytes, limits.unpackedBytes, at), packed.name);
    },
  };
}

/** Whether a file or a directory above it is hidden (".git/…") or is macOS's shadow of a zip ("__MACOSX/…"). */
export function isHidden(path: string): boolean {
  return path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");
}

/**
 * A path that a file names, relative to that file's folder, in the form that `Folder.open` takes. Refused: absolute paths, "..",
 * backslashes, drive letters and NUL, so that data from a stranger opens nothing of yours. → "./a/b.png" → "a/b.png"
 */
export function relativePath(path: string, at: Place): string {
  const parts = path.split("/").filter((part) => part !== ".");
  const bad =
    parts.length === 0 || /[\0\\]|^[A-Za-z]:/.test(path) || parts.some((part) => part === "" || part === "..");
  if (bad)
    throw new LowbitError(
      "data/malformed",
      `${at.file ?? "this"} names ${JSON.stringify(path)}, which is no path inside its folder`,
      {
        at,
        hint: 'write paths relative to the folder, with "/" and without ".."',
      },
    );
  return parts.join("/");
}

/** The directory part of a path, with its "/"; "" at the top. → "a/b.npy" → "a/" */
export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** One of a folder's files. Throws `io/not-found`. */
export async function openIn(
  folder: Folder,
  path: string,
  options?: { readonly inside?: boolean },
): Promise<ByteSource> {
  const source = await folder.open(path, options);
  if (source !== undefined) return source;
  throw new LowbitError("io/not-found", `${folder.name} has no file ${path}`, { at: { file: path } });
}
