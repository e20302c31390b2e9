/** The real file system, for `atomicWrite`. */
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { type FileHandle, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { pid, platform } from "node:process";
import type { FsPort, WritableFile } from "#base/fileSystem";

/** One write call takes at most this much: the system takes less than 2 GiB anyway. */
const largestWrite = 64 * 2 ** 20;

export const nodeFileSystem: FsPort = {
  async create(path) {
    return writable(await open(path, "wx"));
  },
  rename,
  remove: (path) => rm(path),
  exists: (path) =>
    stat(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return false;
        throw error;
      },
    ),
  list: (directory) => readdir(directory),
  async syncDirectory(directory) {
    // Windows has no such call; its journal orders renames
    if (platform === "win32") return;
    const handle = await open(directory, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  owner: `${machine()}-${pid}-${startTime(readOwn("/proc/self/stat"))}`,
  async isAlive(owner) {
    const [host, id, started] = owner.split("-");
    if (host !== machine() || !/^\d+$/.test(id ?? "")) return true;
    try {
      process.kill(Number(id), 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== "ESRCH";
    }
    // the number may have been given to another process since
    const now = startTime(await readFile(`/proc/${id}/stat`, "utf8").catch(() => ""));
    return now === "0" || started === "0" || now === started;
  },
};

function writable(handle: FileHandle): WritableFile {
  return {
    async write(bytes) {
      return (await handle.write(bytes, 0, Math.min(bytes.byteLength, largestWrite))).bytesWritten;
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** Process numbers mean something on one machine only, and there in one namespace of containers. */
function machine(): string {
  let namespace = "";
  try {
    namespace = readlinkSync("/proc/self/ns/pid");
  } catch {
    // not Linux: one namespace
  }
  return createHash("sha256").update(`${hostname()}\0${namespace}`).digest("hex").slice(0, 8);
}

function readOwn(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Field 22 of /proc/…/stat: ticks since boot. "0" where there is none. The name in field 2 may hold anything, spaces too. */
function startTime(stat: string): string {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0";
}
