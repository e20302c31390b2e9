/**
 * JSON read as it comes, for files of strangers. `JSON.parse` keeps the last of two equal keys, turns 18446744073709551615 into
 * 18446744073709552000 and 1.0 into 1, and takes seconds for a file of brackets; here the first two are errors with their place, and
 * nothing recurses that the caller did not ask for.
 *
 * Source: RFC 8259.
 */
import type { LowbitError } from "#base/errors";

/** Deepest nesting of a value that is passed over. */
const deepest = 32;
const [tab, lineFeed, carriageReturn, space] = [9, 10, 13, 32];
const [quote, comma, zero, nine] = [0x22, 0x2c, 0x30, 0x39];
const [colon, openBracket, backslash, closeBracket, openBrace, closeBrace] = [0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d];
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class JsonReader {
  readonly #bytes: Uint8Array;
  readonly #fail: (at: number, what: string) => LowbitError;
  /** Of the next byte. */
  at = 0;

  /** `fail` makes the error that is thrown; `at` counts from the first of `bytes`. */
  constructor(bytes: Uint8Array, fail: (at: number, what: string) => LowbitError) {
    this.#bytes = bytes;
    this.#fail = fail;
  }

  /** Calls `member` for each key, which has to read the value. A key that comes twice is an error, however it is spelt. */
  object(member: (key: string) => void): void {
    // the first few are kept in a list: most objects have no more
    const few: string[] = [];
    let more: Set<string> | undefined;
    this.#expect(openBrace, "an object");
    if (this.#ends(closeBrace)) return;
    do {
      const at = this.at;
      const key = this.string();
      if (few.includes(key) || more?.has(key) === true) throw this.#fail(at, `the key ${shown(key)} comes twice`);
      if (few.length < 4) few.push(key);
      else (more ??= new Set()).add(key);
      this.#expect(colon, "a colon");
      member(key);
    } while (this.#goesOn(closeBrace));
  }

  /** Calls `element` for each element, which has to read it. */
  array(element: () => void): void {
    this.#expect(openBracket, "an array");
    if (this.#ends(closeBracket)) return;
    do element();
    while (this.#goesOn(closeBracket));
  }

  string(): string {
    this.#expect(quote, "a string");
    const bytes = this.#bytes;
    const start = this.at;
    let at = start;
    let escaped = false;
    for (; bytes[at] !== quote; at++) {
      const byte = bytes[at];
      if (byte === backslash) {
        escaped = true;
        at++;
      }
      if (at >= bytes.length) throw this.#fail(start - 1, "a string has no end");
      if (byte < space) throw this.#fail(at, "a string holds a control character");
    }
    this.at = at + 1;
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(start, at));
    } catch {
      throw this.#fail(start, "a string is not UTF-8");
    }
    return escaped ? this.#unescaped(text, start) : text;
  }

  /** A whole number from 0 to 2⁵³ − 1, written with digits alone. */
  integer(): number {
    this.#skipSpace();
    const bytes = this.#bytes;
    const start = this.at;
    let at = start;
    let value = 0;
    for (; bytes[at] >= zero && bytes[at] <= nine; at++) value = value * 10 + (bytes[at] - zero);
    const leading = bytes[start] === zero && at > start + 1;
    if (at === start || leading || value > Number.MAX_SAFE_INTEGER || this.#isNumberByte(at)) {
      while (this.#isNumberByte(at) && at < start + 40) at++;
      const text = String.fromCharCode(...bytes.subarray(start, Math.min(at, start + 40)));
      throw this.#fail(start, `${text === "" ? this.#here() : text} is no whole number from 0 to 2⁵³ − 1`);
    }
    this.at = at;
    return value;
  }

  /** Passes over a value of any kind. */
  skip(depth = 0): void {
    if (depth > deepest) throw this.#fail(this.at, `values lie more than ${deepest} deep in each other`);
    this.#skipSpace();
    const byte = this.#bytes[this.at];
    if (byte === openBrace) this.object(() => this.skip(depth + 1));
    else if (byte === openBracket) this.array(() => this.skip(depth + 1));
    else if (byte === quote) this.string();
    else this.#skipWord();
  }

  /** Throws unless nothing but white space is left. */
  end(): void {
    this.#skipSpace();
    if (this.at < this.#bytes.length) throw this.#fail(this.at, `${this.#here()} follows where JSON ends`);
  }

  /** true, false, null or a number. */
  #skipWord(): void {
    const start = this.at;
    let at = start;
    const bytes = this.#bytes;
    while (at < bytes.length && at - start < 64 && /[-+.\w]/.test(String.fromCharCode(bytes[at]))) at++;
    const text = String.fromCharCode(...bytes.subarray(start, at));
    if (!/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?)$/.test(text))
      throw this.#fail(start, `${this.#here()} is no JSON value`);
    this.at = at;
  }

  #unescaped(text: string, start: number): string {
    let value: string;
    try {
      value = JSON.parse(`"${text}"`) as string;
    } catch {
      throw this.#fail(start, "a string holds an escape that JSON does not know");
    }
    // with the flag u only halves of a pair are found
    if (/[\ud800-\udfff]/u.test(value)) throw this.#fail(start, "a string holds half a surrogate pair");
    return value;
  }

  #isNumberByte(at: number): boolean {
    return at < this.#bytes.length && "0123456789.eE+-".includes(String.fromCharCode(this.#bytes[at]));
  }

  #skipSpace(): void {
    const bytes = this.#bytes;
    let at = this.at;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte !== space && byte !== lineFeed && byte !== carriageReturn && byte !== tab) break;
    }
    this.at = at;
  }

  #expect(byte: number, what: string): void {
    this.#skipSpace();
    if (this.#bytes[this.at] !== byte) throw this.#fail(this.at, `${this.#here()} stands where ${what} should`);
    this.at++;
  }

  #ends(close: number): boolean {
    this.#skipSpace();
    if (this.#bytes[this.at] !== close) return false;
    this.at++;
    return true;
  }

  #goesOn(close: number): boolean {
    if (this.#ends(close)) return false;
    this.#expect(comma, `a comma or ${String.fromCharCode(close)}`);
    return true;
  }

  #here(): string {
    const byte = this.#bytes[this.at];
    if (byte === undefined) return "the end";
    return byte > space && byte < 127 ? String.fromCharCode(byte) : `byte 0x${byte.toString(16).padStart(2, "0")}`;
  }
}

function shown(key: string): string {
  return JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key);
}
