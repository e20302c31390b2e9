import { ByteBuilder } from "#base/byteBuilder";
import { type ByteSink, type ByteSource, checkRange } from "#base/bytes";

/** Bytes put aside: appended now, read later. Its size grows; ranges of what was appended stay as they are. */
export interface ByteStore extends ByteSource, ByteSink {}

/** In memory; for small things, and for browsers. */
export function memoryStore(): ByteStore {
  const builder = new ByteBuilder();
  const store: ByteStore = {
    name: "memory",
    get size() {
      return builder.length;
    },
    async write(chunk) {
      builder.append(chunk);
    },
    async read(offset, length) {
      checkRange(store, offset, length);
      return builder.bytes().slice(offset, offset + length);
    },
  };
  return store;
}
