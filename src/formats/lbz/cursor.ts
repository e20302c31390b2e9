import { LowbitError } from "#base/errors";

/** Reads a block's fields one after another; lbz/malformed where they end too early. */
export class Cursor {
  #at = 0;

  constructor(
    readonly bytes: Uint8Array,
    /** Name and place of the bytes in their file. */
    readonly place: { readonly file: string; readonly byte: number },
  ) {}

  byte(): number {
    if (this.#at >= this.bytes.length) throw this.malformed("a block ends too early");
    return this.bytes[this.#at++];
  }

  /** An unsigned number of up to 53 bits, seven bits a byte, lowest first. */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw this.malformed("a number is longer than it can be");
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.bytes.length) throw this.malformed("a block ends too early");
    const taken = this.bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.take(this.bytes.length - this.#at);
  }

  /** A cursor over bytes that were just taken. */
  within(taken: Uint8Array): Cursor {
    const { file, byte } = this.place;
    return new Cursor(taken, { file, byte: byte + this.#at - taken.length });
  }

  malformed(what: string): LowbitError {
    const { file, byte } = this.place;
    return new LowbitError("lbz/malformed", `${file}: ${what}`, { at: { file, byte: byte + this.#at } });
  }
}

/** Undone by `Cursor.varint`. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}
