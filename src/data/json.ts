/** JSON from strangers: bounded in size and depth before `JSON.parse` sees it. */
import { LowbitError, type Place } from "#base/errors";

/** Brackets deeper than any data; V8 keeps a record for each open one, so 99 MB of "[" would take gigabytes. */
const maxDepth = 64;

/** A JSON text as a value, or `data/malformed` with the place. */
export function parseJson(bytes: Uint8Array, at: Place): unknown {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > maxDepth)
        throw new LowbitError("data/malformed", `${at.file ?? "JSON"} nests deeper than ${maxDepth} levels`, {
          at: { ...at, byte: i },
        });
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  try {
    return JSON.parse(decodeText(bytes, at)) as unknown;
  } catch (cause) {
    if (cause instanceof LowbitError) throw cause;
    const line = at.line === undefined ? "" : `, line ${at.line},`;
    throw new LowbitError("data/malformed", `${at.file ?? "this"}${line} is not JSON: ${(cause as Error).message}`, {
      at,
      cause,
    });
  }
}

/** UTF-8 as text; a byte order mark is taken off, and bytes that are not UTF-8 are refused. */
export function decodeText(bytes: Uint8Array, at: Place): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LowbitError("data/malformed", `${at.file ?? "this"} is not UTF-8 text`, { at, cause });
  }
}

/** Whether a JSON value is an object (not an array, not null). */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
