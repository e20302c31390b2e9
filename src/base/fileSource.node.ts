/** A file as a source of byte ranges. */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type ByteSource, checkRange } from "#base/bytes";
import { LowbitError } from "#base/errors";

export interface FileSource extends ByteSource {
  readonly handle: FileHandle;
  close(): Promise<void>;
}

/**
 * A model may read its weights as long as it lives, and nobody says when it dies: a file that nobody can read any more is closed.
 * (Node would close it too, with a warning.)
 */
const unread = new FinalizationRegistry<FileHandle>((handle) => void handle.close().catch(() => {}));

/** One read call gives at most this much: the system gives less than 2 GiB anyway. */
const largestRead = 64 * 2 ** 20;

/**
 * Opens a regular file for ranged reads. It keeps the file it opened when another takes its name; a read throws `io/changed` when the
 * file itself was changed since. Throws `io/not-found` or `io/read` when it cannot be opened, or is a folder, a pipe or a device.
 */
export async function openFileSource(path: string): Promise<FileSource> {
  // without O_NONBLOCK, opening a pipe would wait for a writer
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error: unknown) => {
    throw notOpened(path, error);
  });
  try {
    return await sourceOf(handle, path);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function notOpened(path: string, cause: unknown): LowbitError {
  const code = (cause as NodeJS.ErrnoException).code ?? "unknown error";
  const at = { file: path };
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new LowbitError("io/not-found", `${path} does not exist`, {
      at,
      hint: "check the spelling of the path",
      cause,
    });
  }
  return new LowbitError("io/read", `${path} cannot be opened (${code})`, { at, cause });
}

async function sourceOf(handle: FileHandle, path: string): Promise<FileSource> {
  const opened = await handle.stat({ bigint: true });
  if (!opened.isFile()) {
    const what = opened.isDirectory() ? "a folder" : "not a regular file";
    throw new LowbitError("io/read", `${path} is ${what}`, { at: { file: path } });
  }
  const changed = (byte: number, how: string) =>
    new LowbitError("io/changed", `${path} was changed while it was read: ${how}`, {
      at: { file: path, byte },
      hint: "let no other program write to it, and start again",
    });
  const source: FileSource = {
    name: path,
    size: Number(opened.size),
    handle,
    async read(offset, length) {
      checkRange(source, offset, length);
      const out = allocate(length, path);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle
          .read(out, done, Math.min(length - done, largestRead), offset + done)
          .catch((cause: unknown) => {
            const code = (cause as NodeJS.ErrnoException).code ?? "unknown error";
            throw new LowbitError("io/read", `${path} cannot be read (${code})`, {
              at: { file: path, byte: offset + done },
              cause,
            });
          });
        if (bytesRead === 0) throw changed(offset + done, `it ends at byte ${offset + done} of ${opened.size}`);
        done += bytesRead;
      }
      const now = await handle.stat({ bigint: true });
      if (now.size !== opened.size) throw changed(offset, `it had ${opened.size} bytes and has ${now.size}`);
      if (now.mtimeNs !== opened.mtimeNs) throw changed(offset, "its modification time is another");
      return out;
    },
    close() {
      unread.unregister(source);
      return handle.close();
    },
  };
  unread.register(source, handle, source);
  return source;
}

/** Zero-filled: what a failed read leaves must never be old memory. */
function allocate(length: number, path: string): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new LowbitError("limit/memory", `${length} bytes of ${path} do not fit in memory`, {
      at: { file: path },
      cause,
    });
  }
}
