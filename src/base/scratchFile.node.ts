/**
 * A file for what is computed before anybody knows where in the output it goes. It lies beside the output, where there has to be room
 * anyway, under a name that `atomicWrite` sweeps should this process die.
 */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { temporaryName } from "#base/atomicWrite";
import type { ByteStore } from "#base/byteStore";
import { checkRange } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { nodeFileSystem } from "#base/fileSystem.node";

export interface ScratchFile extends ByteStore {
  remove(): Promise<void>;
}

/** Throws `io/write` or `io/no-space` where it cannot be made or written. */
export async function createScratchFile(directory: string): Promise<ScratchFile> {
  const path = join(directory, temporaryName(nodeFileSystem));
  const failed = (cause: unknown): LowbitError => {
    const { code = "unknown error" } = cause as NodeJS.ErrnoException;
    const full = code === "ENOSPC" || code === "EDQUOT";
    const what = full ? `no space left in ${directory}` : `${path} cannot be written`;
    return new LowbitError(full ? "io/no-space" : "io/write", `${what} (${code})`, { at: { file: path }, cause });
  };
  const handle = await open(path, "wx+").catch((cause: unknown) => {
    throw failed(cause);
  });
  let size = 0;
  const store: ScratchFile = {
    name: path,
    get size() {
      return size;
    },
    async write(chunk) {
      for (let taken = 0; taken < chunk.byteLength; ) {
        const { bytesWritten } = await handle
          .write(chunk, taken, chunk.byteLength - taken, size)
          .catch((cause: unknown) => {
            throw failed(cause);
          });
        taken += bytesWritten;
        size += bytesWritten;
      }
    },
    async read(offset, length) {
      checkRange(store, offset, length);
      const out = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(out, done, length - done, offset + done);
        if (bytesRead === 0) throw new LowbitError("io/changed", `${path} became shorter`, { at: { file: path } });
        done += bytesRead;
      }
      return out;
    },
    async remove() {
      await handle.close();
      await nodeFileSystem.remove(path).catch(() => {});
    },
  };
  return store;
}
