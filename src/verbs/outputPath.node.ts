/** Whether files can be written, asked before the work: an hour of it should not end at a full stop, nor cost a file that was given. */
import type { BigIntStats } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { LowbitError } from "#base/errors";

export interface Outputs {
  /** Paths that will be written, each with the option that names it. */
  readonly write: readonly (readonly [path: string, option: string])[];
  /** Paths that are read, and must not be lost. */
  readonly read: readonly string[];
}

/** Throws `io/write` for a path where no file can be made, and `usage/same-file` for one that would replace what is read. */
export async function checkOutputs({ write, read }: Outputs): Promise<void> {
  const sources = await Promise.all(read.map(statOf));
  const taken = new Set<string>();
  for (const [path, option] of write) {
    const hint = `choose another path with ${option}`;
    const at = { file: path };
    const refuse = (what: string, cause?: unknown): LowbitError =>
      new LowbitError("io/write", `${path === "" ? '""' : path} cannot be written: ${what}`, { at, hint, cause });
    if (path === "" || /[\\/]$/.test(path.replaceAll(sep, "/"))) throw refuse("it names no file");
    const folder = dirname(resolve(path));
    await access(folder, constants.W_OK).catch((cause: unknown) => {
      throw refuse(`${folder} is no folder that can be written to`, cause);
    });
    const existing = await stat(path, { bigint: true }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return undefined;
      throw refuse(cause.code ?? cause.message, cause);
    });
    if (existing?.isDirectory() === true) throw refuse("it is a folder");
    if (existing?.isFile() === false) throw refuse("it is no regular file");
    const source = sources.findIndex((other) => isSame(other, existing));
    if (source >= 0) {
      const what = `${path} is also ${read[source]}, which is read here and would be lost`;
      throw new LowbitError("usage/same-file", what, { at, hint });
    }
    if (taken.has(resolve(path)))
      throw new LowbitError("usage/same-file", `${path} is to be written twice`, { at, hint });
    taken.add(resolve(path));
  }
}

function statOf(path: string): Promise<BigIntStats | undefined> {
  return stat(path, { bigint: true }).catch(() => undefined);
}

/** One file under two names, or two. */
function isSame(a: BigIntStats | undefined, b: BigIntStats | undefined): boolean {
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}
