import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import type { Limits } from "#base/limits";

/** The whole of a file; `limit/memory` when it is larger than the limit of that name. */
export async function readAll(source: ByteSource, limits: Limits, name: keyof Limits): Promise<Uint8Array> {
  if (source.size > limits[name])
    throw new LowbitError(
      "limit/memory",
      `${source.name} has ${source.size} bytes, over the limit of ${limits[name]}`,
      {
        at: { file: source.name },
        hint: `raise ${name} if you trust the file`,
      },
    );
  return source.read(0, source.size);
}
