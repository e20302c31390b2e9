/**
 * Opening a file that a model names as holding its weights. The spelling of the name is judged by `locationProblem`; here is judged
 * what was really opened, from its descriptor, so that nothing can be swapped between the check and the use.
 */
import { readlink, realpath, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { platform } from "node:process";
import { type ErrorCode, LowbitError } from "#base/errors";
import { type FileSource, openFileSource } from "#base/fileSource.node";

/**
 * Folders whose files a model may use: where it was asked for, and where it really is. The second is what makes the Hugging Face
 * cache work, whose snapshots are links into a folder of blobs.
 */
export async function modelFolders(path: string, model: FileSource): Promise<readonly string[]> {
  const given = await realpath(dirname(path));
  const real = dirname(await truePath(model, path));
  return given === real ? [given] : [given, real];
}

/** Throws `io/not-found`, or `refusal` for anything but a regular file below `folders`. */
export async function openCompanionFile(
  location: string,
  folders: readonly string[],
  refusal: ErrorCode,
): Promise<FileSource> {
  for (const folder of folders) {
    const path = join(folder, location);
    let source: FileSource;
    try {
      source = await openFileSource(path);
    } catch (error) {
      if (error instanceof LowbitError && error.code === "io/not-found") continue;
      throw error;
    }
    try {
      const real = await truePath(source, path);
      if (folders.some((allowed) => real.startsWith(allowed.endsWith(sep) ? allowed : allowed + sep))) return source;
      throw new LowbitError(refusal, `${location} is a link to ${real}, outside the model's folder`, {
        at: { file: path },
        hint: "a model's weights must lie beside it; copy the file there if you trust it",
      });
    } catch (error) {
      await source.close();
      throw error;
    }
  }
  throw new LowbitError(
    "io/not-found",
    `${location}, which holds weights of the model, is not in ${folders.join(" or ")}`,
    {
      at: { file: join(folders[0], location) },
      hint: "the model consists of several files: put them into one folder",
    },
  );
}

/** Links of the file system to this file, one beside its name; another could belong to something secret. */
export async function isHardLinked(source: FileSource): Promise<boolean> {
  return (await source.handle.stat()).nlink > 1;
}

/** The path of what is open. */
async function truePath(source: FileSource, path: string): Promise<string> {
  if (platform === "linux") return readlink(`/proc/self/fd/${source.handle.fd}`);
  const real = await realpath(path);
  const [opened, named] = await Promise.all([source.handle.stat({ bigint: true }), stat(real, { bigint: true })]);
  if (opened.ino === named.ino && opened.dev === named.dev) return real;
  throw new LowbitError("io/changed", `${path} was replaced while it was opened`, { at: { file: path } });
}
