/**
 * Where bytes come from and where they go. A file, a Blob, an HTTP range and an array are the same thing to a reader: a name,
 * a size, and ranges. Reads are exact: fewer bytes than asked for is an error, never a short buffer.
 */
import { LowbitError } from "#base/errors";

export interface ByteSource {
  /** What errors call it: a path, a URL, or "bytes". */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`. The caller must not write into them. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface ByteSink {
  write(chunk: Uint8Array): Promise<void>;
}

/** Throws unless `[offset, offset + length)` lies inside the source. */
export function checkRange(source: ByteSource, offset: number, length: number): void {
  if (
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= source.size
  )
    return;
  throw new LowbitError(
    "io/read",
    `${length} bytes at ${offset} lie outside ${source.name}, which has ${source.size} bytes`,
    {
      at: { file: source.name, byte: offset },
      hint: "the file may be incomplete; compare its size with the original's",
    },
  );
}

export function bytesSource(bytes: Uint8Array, name = "bytes"): ByteSource {
  const source: ByteSource = {
    name,
    size: bytes.byteLength,
    async read(offset, length) {
      checkRange(source, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
  return source;
}

/** A Blob or File of the browser (and of Node); ranges are read on demand. */
export function blobSource(blob: Blob, name = "name" in blob ? String(blob.name) : "blob"): ByteSource {
  const source: ByteSource = {
    name,
    size: blob.size,
    async read(offset, length) {
      checkRange(source, offset, length);
      const bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      if (bytes.byteLength !== length) {
        throw new LowbitError("io/changed", `${name} gave ${bytes.byteLength} of ${length} bytes at ${offset}`, {
          at: { file: name, byte: offset },
        });
      }
      return bytes;
    },
  };
  return source;
}

/** A URL whose server answers range requests; the size is asked once. */
export async function urlSource(url: string): Promise<ByteSource> {
  const fail = (what: string, cause?: unknown) =>
    new LowbitError("io/read", `${url}: ${what}`, {
      at: { file: url },
      hint: "check the address, and that the server answers range requests",
      cause,
    });
  const head = await fetch(url, { method: "HEAD" }).catch((cause: unknown) => {
    throw fail("no answer", cause);
  });
  const size = Number(head.headers.get("content-length"));
  if (!head.ok || !Number.isSafeInteger(size) || size <= 0)
    throw fail(`answered ${head.status} without a usable content-length`);
  const source: ByteSource = {
    name: url,
    size,
    async read(offset, length) {
      checkRange(source, offset, length);
      if (length === 0) return new Uint8Array(0);
      const answer = await fetch(url, { headers: { range: `bytes=${offset}-${offset + length - 1}` } });
      const body = new Uint8Array(await answer.arrayBuffer());
      // a server without ranges answers 200 with the whole file: right, only slower
      const bytes = answer.status === 200 && body.byteLength === size ? body.subarray(offset, offset + length) : body;
      if (!answer.ok || bytes.byteLength !== length)
        throw fail(`answered ${answer.status} with ${body.byteLength} of ${length} bytes`);
      return bytes;
    },
  };
  return source;
}

/** A sink that collects; for small outputs and for the browser. */
export class BytesSink implements ByteSink {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  async write(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(chunk);
    this.#length += chunk.byteLength;
  }

  get length(): number {
    return this.#length;
  }

  bytes(): Uint8Array {
    return concatBytes(this.#chunks);
  }
}

export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.byteLength;
  }
  return out;
}
