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
import { ByteBuilder } from "#formats/onnx/byteBuilder";
import { explainOtherFile } from "#formats/onnx/otherFile";
import { type Field, fieldTable, type MessageName } from "#formats/onnx/schema";
import { WireReader, wireBytes, wireFixed64, wireVarint } from "#formats/onnx/wireReader";

/** Tensor content of at most this many bytes is read with the structure: scales, shapes, biases. */
const inlineBytes = 1024;

/** Whether a field's content stays in the file. */
export function isLeftOut(field: Field | undefined, length: number): boolean {
  return field?.shape === "data" && length > inlineBytes;
}

const smallestWindow = 64 * 1024;
const largestWindow = 1024 * 1024;
/** Longest tag and longest length. */
const headerBytes = 20;

/** What a field costs once decoded, roughly: a file of two-byte messages must not fill the memory. */
function decodedBytes(field: Field | undefined, length: number): number {
  if (field?.message !== undefined) return 256;
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
  const skeleton = new ByteBuilder(Math.min(source.size, smallestWindow));
  const reader = new WireReader(new Uint8Array(0), source.name, source.size);
  const open: { readonly table: readonly (Field | undefined)[]; readonly end: number }[] = [
    { table: fieldTable("Model" satisfies MessageName), end: source.size },
  ];
  let windowBytes = smallestWindow;
  let kept = 0; // bytes.subarray(kept, pos) belongs to the skeleton and is not there yet
  let fields = 0;
  let overhead = 0;

  const keep = (): void => {
    skeleton.append(reader.bytes.subarray(kept, reader.pos));
    kept = reader.pos;
    if (skeleton.length + overhead <= limits.onnxStructureBytes) return;
    throw reader.fail(
      "onnx/limit",
      `the structure needs over ${limits.onnxStructureBytes} bytes`,
      reader.offset,
      "raise onnxStructureBytes",
    );
  };
  const load = async (offset: number): Promise<void> => {
    const sequential = offset === reader.base + reader.bytes.length;
    windowBytes = sequential ? Math.min(windowBytes * 2, largestWindow) : smallestWindow;
    reader.window(await source.read(offset, Math.min(windowBytes, source.size - offset)), offset);
    kept = 0;
  };
  /** Moves `length` bytes ahead, copying them or leaving them out. */
  const pass = async (length: number, copied: boolean): Promise<void> => {
    if (reader.offset + length > source.size) throw reader.fail("onnx/truncated", "the file ends inside a field");
    if (!copied) keep();
    let left = length;
    while (reader.pos + left > reader.bytes.length) {
      const here = reader.bytes.length - reader.pos;
      if (!copied) {
        await load(reader.offset + left);
        return;
      }
      reader.pos += here;
      left -= here;
      keep();
      await load(reader.offset);
    }
    reader.pos += left;
    if (!copied) kept = reader.pos;
  };

  try {
    for (;;) {
      let top = open[open.length - 1];
      while (reader.offset === top.end) {
        open.pop();
        if (open.length === 0) {
          keep();
          return skeleton.bytes();
        }
        top = open[open.length - 1];
      }
      const ahead = reader.bytes.length - reader.pos;
      if (ahead < headerBytes && reader.base + reader.bytes.length < source.size) {
        keep();
        await load(reader.offset);
      }

      if (++fields > limits.onnxFields)
        throw reader.fail("onnx/limit", `more than ${limits.onnxFields} fields`, reader.offset, "raise onnxFields");
      reader.tag();
      const field = top.table[reader.field];
      const length = reader.wire === wireBytes ? reader.lengthBefore(top.end) : 0;
      overhead += decodedBytes(field, length);
      if (reader.wire === wireVarint) reader.varint();
      else if (reader.wire !== wireBytes) await pass(reader.wire === wireFixed64 ? 8 : 4, true);
      else if (field?.message !== undefined) {
        if (open.length >= limits.onnxDepth)
          throw reader.fail(
            "onnx/limit",
            `messages nest deeper than ${limits.onnxDepth}`,
            reader.offset,
            "raise onnxDepth",
          );
        open.push({ table: fieldTable(field.message), end: reader.offset + length });
      } else {
        await pass(length, !isLeftOut(field, length));
      }
      if (reader.offset > top.end) throw reader.fail("onnx/malformed", "a field crosses the end of its message");
    }
  } catch (error) {
    throw await explainOtherFile(error, source);
  }
}
