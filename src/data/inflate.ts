/** Unpacking with a bound: a bomb is stopped when it passes the size it may have, whatever its header says. */
import { concatBytes } from "#base/bytes";
import { LowbitError, type Place } from "#base/errors";

/** "deflate-raw": zip members. "deflate": zlib, as in PNG. "gzip": checksummed. */
export type Packing = "deflate-raw" | "deflate" | "gzip";

/**
 * The unpacked bytes. Throws `data/malformed` for a broken stream and `limit/memory` as soon as more than `limit` bytes come out.
 * The platform's own DecompressionStream (Node ≥ 20, browsers).
 */
export async function inflate(packing: Packing, packed: Uint8Array, limit: number, at: Place): Promise<Uint8Array> {
  // a view of shared memory is no BlobPart; ours never is
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream(packing));
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new LowbitError("data/malformed", `${at.file ?? "this"}: the packed data is broken (${String(cause)})`, {
        at,
        hint: "the download may be incomplete",
        cause,
      });
    });
    if (done) return concatBytes(chunks);
    length += value.byteLength;
    if (length > limit) {
      await reader.cancel().catch(() => undefined);
      throw new LowbitError("limit/memory", `${at.file ?? "this"} unpacks to more than ${limit} bytes`, {
        at,
        hint: "unpack it yourself if you trust it, or raise unpackedBytes",
      });
    }
    chunks.push(value);
  }
}

/** Whether these are the first bytes of a gzip file. */
export function isGzip(head: Uint8Array): boolean {
  return head.length > 2 && head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
}
