/**
 * Writing files so that a reader finds the old content, the new content, or (see below) nothing, whatever happens: an error, a
 * full disk, a killed process, a power cut.
 *
 * Each file is written under a temporary name in its own directory, forced to disk, and renamed; then the directory is forced to disk.
 */
import type { ByteSink } from "#base/bytes";
import { LowbitError } from "#base/errors";
import type { FsPort, WritableFile } from "#base/fileSystem";

const prefix = ".lowbit-";
const suffix = ".tmp";
let serial = 0;

/**
 * Writes `names` in `directory` together; `write` gets one sink for each. On an error nothing has changed and no temporary file is
 * left. When the promise resolves, everything is on disk.
 *
 * Files are renamed in the order given, so the last should be the one that refers to the others. Where that one and a companion are
 * replaced, both are moved away first: a crash in that moment leaves it absent, never an old file beside a new companion.
 *
 * Throws `io/no-space` or `io/write`, and whatever `write` throws.
 */
export async function atomicWrite<T>(
  fs: FsPort,
  directory: string,
  names: readonly string[],
  write: (sinks: readonly ByteSink[]) => Promise<T>,
): Promise<T> {
  const targets = names.map((name) => `${directory}/${name}`);
  const temporary = (): string => `${directory}/${temporaryName(fs)}`;
  const temporaries = names.map(temporary);
  const open = new Map<WritableFile, string>();
  const renamed: { readonly from: string; readonly to: string }[] = [];
  const main = targets[targets.length - 1];
  let committed = false;
  try {
    await sweep(fs, directory).catch((error: unknown) => {
      throw explained(error, main);
    });
    for (const [i, path] of temporaries.entries()) open.set(await told(fs.create(path), targets[i]), targets[i]);
    const result = await write(Array.from(open, ([file, target]) => sinkOf(file, target)));
    for (const [file, target] of open) {
      await told(file.sync(), target);
      open.delete(file);
      await told(file.close(), target);
    }
    const replaced = await existing(fs, targets);
    for (const [from, to, target] of [
      ...replaced.map((path) => [path, temporary(), path] as const),
      ...targets.map((path, i) => [temporaries[i], path, path] as const),
    ]) {
      await told(fs.rename(from, to), target);
      renamed.push({ from, to });
      committed = to === main;
      await told(fs.syncDirectory(directory), target);
    }
    // the new files are in place; what cannot be removed is swept by a later run
    for (const { from, to } of renamed) if (replaced.includes(from)) await fs.remove(to).catch(ignore);
    return result;
  } catch (error) {
    for (const file of open.keys()) await file.close().catch(ignore);
    if (!committed) {
      for (const { from, to } of renamed.reverse()) await fs.rename(to, from).catch(ignore);
      for (const path of temporaries) await fs.remove(path).catch(ignore);
    }
    throw error;
  }
}

/** A name that no other file has, and by which a later run knows that this process left it. */
export function temporaryName(fs: Pick<FsPort, "owner">): string {
  return `${prefix}${fs.owner}-${serial++}${suffix}`;
}

function ignore(): void {
  // cleaning up after an error must not hide it
}

function sinkOf(file: WritableFile, target: string): ByteSink {
  let total = 0;
  return {
    async write(chunk) {
      for (let taken = 0; taken < chunk.byteLength; ) {
        const count = await told(file.write(chunk.subarray(taken)), target, total);
        if (count <= 0)
          throw new LowbitError("io/write", `${target}: the system took no bytes`, { at: { file: target } });
        taken += count;
        total += count;
      }
    },
  };
}

/** What must be moved away so that no old file meets a new one: the main file first, then its companions. */
async function existing(fs: FsPort, targets: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of targets) if (await told(fs.exists(path), path)) found.unshift(path);
  // a file that is replaced alone is replaced by the rename itself
  return found.some((path) => path !== targets[targets.length - 1]) ? found : [];
}

/** Removes temporary files that dead processes left. */
async function sweep(fs: FsPort, directory: string): Promise<void> {
  for (const name of await fs.list(directory)) {
    if (!name.startsWith(prefix) || !name.endsWith(suffix)) continue;
    const owner = name.slice(prefix.length, name.lastIndexOf("-"));
    if (!(await fs.isAlive(owner))) await fs.remove(`${directory}/${name}`).catch(ignore);
  }
}

const hints: Readonly<Record<string, string>> = {
  ENOENT: "create the folder first",
  ENOTDIR: "a part of the path is a file",
  EISDIR: "there is a folder of that name",
  EACCES: "check the permissions of the folder",
  EPERM: "check the permissions of the folder",
  EROFS: "the disk is read-only",
};

/** An operation on `target`, whose failure is told in our words. */
async function told<T>(operation: Promise<T>, target: string, written = 0): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    throw explained(error, target, written);
  }
}

function explained(error: unknown, target: string, written = 0): unknown {
  if (!(error instanceof Error) || !("code" in error) || error instanceof LowbitError) return error;
  const code = String(error.code);
  const at = { file: target };
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    return new LowbitError("io/no-space", `no space left for ${target} after ${written} bytes (${code})`, {
      at,
      hint: "free some space, or write elsewhere",
      cause: error,
    });
  }
  const hint = hints[code];
  const more = hint === undefined ? {} : { hint };
  return new LowbitError("io/write", `${target} cannot be written (${code})`, { at, cause: error, ...more });
}
