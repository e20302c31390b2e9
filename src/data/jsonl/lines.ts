import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";

/** A text file by lines, each read when asked for; only where they start is kept in memory. */
export interface Lines {
  /** Lines that are not blank. */
  readonly length: number;
  /** Its number in the file, from 1. */
  number(index: number): number;
  read(index: number): Promise<Uint8Array>;
}

const blockBytes = 2 ** 20;

/** Finds the lines in one pass. Throws `limit/memory` for a line over `maxBytes`. */
export async function openLines(source: ByteSource, maxBytes: number): Promise<Lines> {
  const starts: number[] = [];
  const ends: number[] = [];
  const numbers: number[] = [];
  let start = 0;
  let blank = true;
  let line = 1;
  const close = (end: number): void => {
    if (end - start > maxBytes)
      throw new LowbitError(
        "limit/memory",
        `line ${line} of ${source.name} has ${end - start} bytes, over the limit of ${maxBytes}`,
        {
          at: { file: source.name, line },
          hint: "raise jsonBytes if you trust the file",
        },
      );
    if (!blank) {
      starts.push(start);
      ends.push(end);
      numbers.push(line);
    }
    start = end + 1;
    blank = true;
    line++;
  };
  for (let at = 0; at < source.size; at += blockBytes) {
    const block = await source.read(at, Math.min(blockBytes, source.size - at));
    for (let i = 0; i < block.length; i++) {
      if (block[i] === 0x0a) close(at + i);
      else if (block[i] > 0x20) blank = false;
    }
  }
  close(source.size);
  return {
    length: starts.length,
    number: (index) => numbers[index],
    read: (index) => source.read(starts[index], ends[index] - starts[index]),
  };
}
