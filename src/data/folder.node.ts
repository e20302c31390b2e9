/** Folders on disk, for the readers of data. */
import { type Dirent, type Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { openFileSource } from "#base/fileSource.node";
import type { Limits } from "#base/limits";
import { type Folder, isHidden } from "#data/folder";

/**
 * A directory. Links are followed: data folders are often made of them. But what a *file* names must lie inside (`open` with `inside`):
 * inside the directory, or beside the real file that was named, as Hugging Face's cache has it.
 * @param named the file in it that the user named, if one.
 */
export function directory(root: string, limits: Limits, named?: string): Folder {
  let listing: Promise<readonly string[]> | undefined;
  return {
    name: root,
    list: () => (listing ??= walk(root, limits)),
    async open(path, { inside = false } = {}) {
      const full = join(root, path);
      const found = await stat(full).catch(() => undefined);
      if (found === undefined) return undefined;
      if (inside) await checkInside(full, root, named);
      return reopening(full);
    },
  };
}

/** A source that holds no file open between reads: a folder may have a million files. */
async function reopening(path: string): Promise<ByteSource> {
  const first = await openFileSource(path);
  const { size } = first;
  const { mtimeNs } = await first.handle.stat({ bigint: true });
  await first.close();
  return {
    name: path,
    size,
    async read(offset, length) {
      const file = await openFileSource(path);
      try {
        const now = await file.handle.stat({ bigint: true });
        if (file.size !== size || now.mtimeNs !== mtimeNs)
          throw new LowbitError("io/changed", `${path} was changed while it was read`, {
            at: { file: path, byte: offset },
            hint: "let no other program write to it, and start again",
          });
        return await file.read(offset, length);
      } finally {
        await file.close();
      }
    },
  };
}

async function checkInside(full: string, root: string, named: string | undefined): Promise<void> {
  const real = await realpath(full);
  const allowed = [await realpath(root), ...(named === undefined ? [] : [dirname(await realpath(join(root, named)))])];
  if (allowed.some((folder) => real.startsWith(folder.endsWith(sep) ? folder : folder + sep))) return;
  throw new LowbitError("data/malformed", `${full} is a link that leads out of its folder`, {
    at: { file: full },
    hint: "copy the file into the folder",
  });
}

/** All files below, links followed, each directory once. */
async function walk(root: string, limits: Limits): Promise<readonly string[]> {
  const files: string[] = [];
  const seen = new Set<string>();
  const visit = async (folder: string): Promise<void> => {
    const real = await realpath(join(root, folder));
    if (seen.has(real)) return;
    seen.add(real);
    const entries = await readdir(join(root, folder), { withFileTypes: true });
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (isHidden(path)) continue;
      const kind = await followed(entry, join(root, path));
      if (kind?.isDirectory() === true) await visit(path);
      else if (kind?.isFile() === true) files.push(path);
      if (files.length > limits.dataFiles)
        throw new LowbitError("limit/memory", `${root} has more than ${limits.dataFiles} files`, {
          at: { file: root },
          hint: "name a folder with less, or raise dataFiles",
        });
    }
  };
  await visit("");
  return files.sort();
}

/** What an entry is; undefined for a link that leads nowhere. */
async function followed(entry: Dirent, path: string): Promise<Dirent | Stats | undefined> {
  return entry.isSymbolicLink() ? stat(path).catch(() => undefined) : entry;
}

/** The folder and the file in it that a path of the user means. Throws `io/not-found`. */
export async function locate(path: string, limits: Limits): Promise<{ folder: Folder; file: string | undefined }> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new LowbitError("io/not-found", `${path} does not exist`, {
      at: { file: path },
      hint: "check the spelling of the path",
    });
  if (found.isDirectory()) return { folder: directory(path, limits), file: undefined };
  return { folder: directory(dirname(path), limits, basename(path)), file: basename(path) };
}
