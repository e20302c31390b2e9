/** A small ustar reader for test archives: names and contents of regular files. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/\0.*$/s, "");

export function readTarGz(path: string): Map<string, Uint8Array> {
  const archive = new Uint8Array(gunzipSync(readFileSync(path)));
  const files = new Map<string, Uint8Array>();
  let longName: string | undefined;
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const header = archive.subarray(at, at + 512);
    const size = Number.parseInt(text(header.subarray(124, 136)), 8);
    const content = archive.subarray(at + 512, at + 512 + size);
    const kind = String.fromCharCode(header[156]);
    const prefix = text(header.subarray(345, 500));
    const name = longName ?? (prefix === "" ? "" : `${prefix}/`) + text(header.subarray(0, 100));
    longName = kind === "L" ? text(content) : undefined; // GNU: the next entry's name
    if (kind === "0" || kind === "\0") files.set(name, content);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
