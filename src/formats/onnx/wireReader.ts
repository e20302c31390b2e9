/**
 * Protobuf's wire format, one primitive at a time, over bytes that may be a window of a file.
 * Source: protobuf.dev/programming-guides/encoding.
 */
import { type ErrorCode, LowbitError } from "#base/errors";

export const wireVarint = 0;
export const wireFixed64 = 1;
export const wireBytes = 2;
export const wireFixed32 = 5;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class WireReader {
  readonly file: string;
  readonly fileSize: number;
  bytes: Uint8Array;
  /** Index into `bytes`. */
  pos = 0;
  /** Offset in the file of `bytes[0]`, as seen from `pos`: what a scanner left out before `pos` is added. */
  base = 0;
  /** The last varint, as two unsigned halves. */
  low = 0;
  high = 0;
  /** The last tag. */
  field = 0;
  wire = 0;
  #view: DataView;

  constructor(bytes: Uint8Array, file: string, fileSize = bytes.byteLength) {
    this.bytes = bytes;
    this.file = file;
    this.fileSize = fileSize;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves to another window of the same file, which starts at `base`. */
  window(bytes: Uint8Array, base: number): void {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = 0;
    this.base = base;
  }

  /** Where `pos` is in the file. */
  get offset(): number {
    return this.base + this.pos;
  }

  fail(code: ErrorCode, what: string, byte = this.offset, hint?: string): LowbitError {
    return new LowbitError(code, `${this.file}: ${what} at byte ${byte}`, {
      at: { file: this.file, byte },
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** Reads up to 64 bits into `low` and `high`; none is dropped: a length of 2⁶³ must not look like 0. */
  varint(): void {
    const { bytes } = this;
    let at = this.pos;
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i++) {
      if (at >= bytes.length) throw this.fail("onnx/truncated", "the file ends inside a number");
      const byte = bytes[at++];
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i > 4) high |= bits << (7 * i - 32);
      else {
        low |= bits << 28;
        high = bits >>> 4;
      }
      if (byte > 0x7f) continue;
      if (i === 9 && byte > 1) break;
      this.pos = at;
      this.low = low >>> 0;
      this.high = high >>> 0;
      return;
    }
    throw this.fail("onnx/malformed", "a number has more than 64 bits");
  }

  /** Reads a tag into `field` and `wire`; refuses what no ONNX writer produces. */
  tag(): void {
    const at = this.offset;
    this.varint();
    if (this.high !== 0) throw this.fail("onnx/malformed", "a field tag has more than 32 bits", at);
    this.field = this.low >>> 3;
    this.wire = this.low & 7;
    if (this.field === 0) throw this.fail("onnx/malformed", "field number 0", at);
    if (this.wire === 3 || this.wire === 4)
      throw this.fail("onnx/unsupported", `field ${this.field} is a group, which ONNX does not use,`, at);
    if (this.wire > 5) throw this.fail("onnx/malformed", `field ${this.field} has wire type ${this.wire}`, at);
  }

  /** Reads a length that must fit before `end`, an offset in the file that ends the enclosing message. */
  lengthBefore(end: number): number {
    const at = this.offset;
    this.varint();
    const length = this.high * 0x100000000 + this.low;
    if (length <= end - this.offset) return length;
    if (length <= Number.MAX_SAFE_INTEGER && this.offset + length > this.fileSize) {
      const what = `field ${this.field} claims ${length} bytes; the file has ${Math.max(0, this.fileSize - this.offset)} left`;
      throw this.fail("onnx/truncated", what, at, "the file may be incomplete; compare its size with the original's");
    }
    const what = `field ${this.field} claims ${length} bytes; its message has ${Math.max(0, end - this.offset)} left`;
    throw this.fail("onnx/malformed", what, at);
  }

  /** Steps over the value of the last tag, whose payload lies in this window. */
  skipValue(end: number): void {
    if (this.wire === wireVarint) this.varint();
    else this.advance(this.wire === wireBytes ? this.lengthBefore(end) : this.wire === wireFixed64 ? 8 : 4);
  }

  advance(length: number): void {
    if (this.pos + length > this.bytes.length) throw this.fail("onnx/truncated", "the file ends inside a field");
    this.pos += length;
  }

  int32(): number {
    this.varint();
    return this.low | 0;
  }

  int64(): number | bigint {
    this.varint();
    const value = (this.high | 0) * 0x100000000 + this.low;
    return Number.isSafeInteger(value) ? value : BigInt.asIntN(64, (BigInt(this.high) << 32n) | BigInt(this.low));
  }

  float(): number {
    const at = this.pos;
    this.advance(4);
    return this.#view.getFloat32(at, true);
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    const at = this.pos;
    this.advance(length);
    return this.bytes.subarray(at, at + length);
  }

  string(length: number): string {
    const at = this.offset;
    const bytes = this.take(length);
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw new LowbitError("onnx/malformed", `${this.file}: a name or text at byte ${at} is not UTF-8`, {
        at: { file: this.file, byte: at },
        cause,
      });
    }
  }
}
