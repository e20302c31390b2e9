/**
 * First pass over an ONNX file: reads everything except the content of large tensors.
 *
 * The result is the *skeleton*: the file's bytes with those contents left out. Its lengths are still the file's, so a decoder that
 * applies the same rule (`isLeftOut`) steps over the same holes and knows the file offset of every byte. Only a field's header is
 * looked at, no message is recursed into: memory is the skeleton, time is its length plus one read per hole.
 */
import type { ByteSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import type { Limits } from "#base/limits";
import { ByteBuilder } from "#base/byteBuilder";
import { explainOtherFile } from "#formats/otherFile";
import { type Field, fieldTable } from "#formats/onnx/schema";
import { WireReader, wireBytes, wireFixed64, wireVarint } from "#formats/onnx/wireReader";

/** Tensor content of at most this many bytes is read with the structure: scales, shapes, biases. */
const inlineBytes = 1024;

/** Whether a field's content stays in the file. */
export function isLeftOut(field: Field | undefined, length: number): boolean {
  return field?.shape === "data" && length > inlineBytes;
}

const smallestWindow = 16 * 1024;
const largestWindow = 1024 * 1024;
/** Longest tag and longest length. */
const headerBytes = 20;

/** What a field costs once decoded, roughly and beside its bytes: a file of two-byte messages must not fill the memory. */
function decodedBytes(field: Field | undefined, length: number): number {
  if (field?.message !== undefined) return field.message === "Tensor" ? 640 : 256;
  if (field?.kind === "bytes" && field.shape === "repeated") return 128;
  // a packed number may take one byte in the file and eight in memory
  if (field?.shape === "repeated" && field.kind !== "string") return 32 + 8 * length;
  return 32;
}

export async function scanStructure(source: ByteSource, limits: Limits): Promise<Uint8Array> {
  if (source.size === 0) {
    throw new LowbitError("onnx/truncated", `${source.name} is empty`, {
      at: { file: source.name, byte: 0 },
      hint: "the download may have failed",
    });
  }
  try {
    return await new Scanner(source, limits).scan();
  } catch (error) {
    throw await explainOtherFile(error, source);
  }
}

class Scanner {
  readonly #source: ByteSource;
  readonly #limits: Limits;
  readonly #reader: WireReader;
  readonly #skeleton: ByteBuilder;
  /** Bytes of the window from here to the reader's position belong to the skeleton and are not there yet. */
  #kept = 0;
  #windowBytes = smallestWindow;
  #fields = 0;
  #decoded = 0;

  constructor(source: ByteSource, limits: Limits) {
    this.#source = source;
    this.#limits = limits;
    this.#reader = new WireReader(new Uint8Array(0), source.name, source.size);
    this.#skeleton = new ByteBuilder(Math.min(source.size, smallestWindow));
  }

  async scan(): Promise<Uint8Array> {
    const reader = this.#reader;
    const open: { readonly table: readonly (Field | undefined)[]; readonly end: number }[] = [];
    let table = fieldTable("Model");
    let end = this.#source.size;
    for (;;) {
      while (reader.offset === end) {
        const outer = open.pop();
        if (outer === undefined) {
          this.#keep();
          return this.#skeleton.bytes();
        }
        ({ table, end } = outer);
      }
      if (reader.pos + headerBytes > reader.bytes.length) await this.#load(reader.offset);
      reader.tag();
      const field = table[reader.field];
      if (reader.wire === wireVarint) {
        this.#count(decodedBytes(field, 0));
        reader.varint();
      } else {
        const length = reader.wire === wireBytes ? reader.lengthBefore(end) : reader.wire === wireFixed64 ? 8 : 4;
        if (reader.wire === wireBytes && field?.message !== undefined) {
          this.#count(decodedBytes(field, length));
          open.push({ table, end });
          if (open.length >= this.#limits.onnxDepth) throw this.#tooMuch("onnxDepth", "levels of messages");
          table = fieldTable(field.message);
          end = reader.offset + length;
        } else if (reader.wire === wireBytes && isLeftOut(field, length)) {
          this.#count(decodedBytes(field, 0));
          this.#keep();
          await this.#moveTo(reader.offset + length);
        } else {
          this.#count(decodedBytes(field, length) + length);
          await this.#copy(length);
        }
      }
      if (reader.offset > end) throw reader.fail("onnx/malformed", "a field crosses the end of its message");
    }
  }

  /** Counts a field that takes about this much memory, before it does. */
  #count(decoded: number): void {
    this.#decoded += decoded;
    if (++this.#fields > this.#limits.onnxFields) throw this.#tooMuch("onnxFields", "fields");
    if (this.#decoded > this.#limits.onnxStructureBytes)
      throw this.#tooMuch("onnxStructureBytes", "bytes of structure");
  }

  #tooMuch(limit: "onnxDepth" | "onnxFields" | "onnxStructureBytes", what: string): LowbitError {
    return this.#reader.fail(
      "onnx/limit",
      `more than ${this.#limits[limit]} ${what}`,
      this.#reader.offset,
      `raise ${limit}`,
    );
  }

  /** Puts what was passed into the skeleton. */
  #keep(): void {
    this.#skeleton.append(this.#reader.bytes.subarray(this.#kept, this.#reader.pos));
    this.#kept = this.#reader.pos;
  }

  async #copy(length: number): Promise<void> {
    const reader = this.#reader;
    if (reader.offset + length > this.#source.size) throw reader.fail("onnx/truncated", "the file ends inside a field");
    let left = length;
    for (let here = reader.bytes.length - reader.pos; left > here; here = reader.bytes.length) {
      reader.pos += here;
      left -= here;
      await this.#load(reader.offset);
    }
    reader.pos += left;
  }

  /** Goes to another place of the file; what lies between is not part of the skeleton. */
  async #moveTo(offset: number): Promise<void> {
    const reader = this.#reader;
    if (offset > reader.base + reader.bytes.length) await this.#load(offset);
    else reader.pos = offset - reader.base;
    this.#kept = reader.pos;
  }

  /** Reads a window that starts at `offset`. */
  async #load(offset: number): Promise<void> {
    const reader = this.#reader;
    const reached = reader.base + reader.bytes.length;
    if (reached === this.#source.size && offset < reached) return; // the last window, which may end within a header
    this.#keep();
    this.#windowBytes = offset > reached ? smallestWindow : Math.min(this.#windowBytes * 2, largestWindow);
    const length = Math.min(this.#windowBytes, this.#source.size - offset);
    reader.window(await this.#source.read(offset, length), offset);
    this.#kept = 0;
  }
}
