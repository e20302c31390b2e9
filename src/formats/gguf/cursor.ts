/** Little-endian fields, one after another, in the first bytes of a file of which more can be fetched. */
import { LowbitError, type ErrorCode, type Place } from "#base/errors";
import type { Limits } from "#base/limits";

/** Thrown where the bytes at hand end but the file does not: fetch at least so many, and begin again. */
export class MoreNeeded extends Error {
  readonly bytes: number;

  constructor(bytes: number) {
    super(`${bytes} bytes needed`);
    this.bytes = bytes;
  }
}

/** What one text or array costs in memory beside its bytes. */
export const textCost = 64;
export const arrayCost = 512;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class Cursor {
  readonly file: string;
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fileBytes: number;
  readonly #limits: Limits;
  #spent = 0;

  constructor(bytes: Uint8Array, file: string, fileBytes: number, limits: Limits) {
    this.file = file;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fileBytes = fileBytes;
    this.#limits = limits;
  }

  /** Bytes of the file from here on. */
  get left(): number {
    return this.#fileBytes - this.at;
  }

  refuse(code: ErrorCode, what: string, place: Place = {}): LowbitError {
    return new LowbitError(code, `${this.file}: ${what}`, { at: { file: this.file, byte: this.at, ...place } });
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** How many of something follow, each of at least `least` bytes: what cannot be is refused before anything is counted. */
  count(least: number, what: string): number {
    const count = this.uint64();
    if (count * BigInt(least) <= BigInt(this.left)) return Number(count);
    throw this.refuse("gguf/truncated", `${count} ${what} are promised; ${this.left} bytes are left`);
  }

  /** Bytes where they are not UTF-8. */
  text(most: number, what: string): string | Uint8Array {
    const length = this.uint64();
    if (length > BigInt(most)) throw this.refuse("gguf/limit", `${what} of ${length} bytes, over the limit of ${most}`);
    const bytes = this.bytes(Number(length), what);
    this.spend(textCost);
    try {
      return decoder.decode(bytes);
    } catch {
      return bytes.slice();
    }
  }

  /** A view. */
  bytes(length: number, what: string): Uint8Array {
    if (length > this.left)
      throw this.refuse("gguf/truncated", `${what} of ${length} bytes is promised; ${this.left} are left`);
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Accounts for an object that outlives the bytes. */
  spend(bytes: number): void {
    this.#spent += bytes;
    if (this.at + this.#spent > this.#limits.ggufHeaderBytes)
      throw this.refuse("gguf/limit", `metadata needs more than ${this.#limits.ggufHeaderBytes} bytes`);
  }

  #take(length: number): number {
    const start = this.at;
    const end = start + length;
    if (end > this.#fileBytes) throw this.refuse("gguf/truncated", `the file ends at byte ${this.#fileBytes}`);
    if (end > this.#limits.ggufHeaderBytes)
      throw this.refuse("gguf/limit", `metadata needs more than ${this.#limits.ggufHeaderBytes} bytes`);
    if (end > this.#bytes.byteLength) throw new MoreNeeded(end);
    this.at = end;
    return start;
  }
}
