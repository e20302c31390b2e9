/**
 * Private scratch directories: mode 0700, below the system's temporary directory, gone when this program ends. One that a
 * killed program left is swept by the next.
 */
import { lstatSync, rmSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { LowbitError } from "#base/errors";

export interface Scratch {
  readonly path: string;
  remove(): Promise<void>;
}

// containers may share a temporary directory, and their process ids mean nothing to one another
const prefix = `lowbit-${hostname().replace(/[^a-zA-Z0-9]/g, "")}-`;
const live = new Set<string>();
let swept: Promise<void> | undefined;

export async function createScratch(): Promise<Scratch> {
  swept ??= sweep();
  await swept;
  const path = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`)).catch((cause: unknown) => {
    throw new LowbitError("io/write", `cannot make a scratch directory in ${tmpdir()}`, {
      at: { file: tmpdir() },
      hint: "set TMPDIR to a directory that can be written",
      cause,
    });
  });
  if (live.size === 0) process.once("exit", removeLive);
  live.add(path);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      live.delete(path);
      if (live.size === 0) process.off("exit", removeLive);
    },
  };
}

function removeLive(): void {
  for (const path of live) rmSync(path, { recursive: true, force: true });
}

/** Removes scratch directories of programs that no longer run: only our own user's, and never through a link. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const path = join(tmpdir(), name);
    const pid = Number(name.slice(prefix.length).split("-")[0]);
    const entry = lstatSync(path, { throwIfNoEntry: false });
    const ours = entry?.isDirectory() === true && (process.getuid === undefined || entry.uid === process.getuid());
    if (ours && !isRunning(pid)) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0); // asks, and does nothing
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
