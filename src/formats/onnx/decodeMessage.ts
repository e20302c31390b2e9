/**
 * Bytes → messages, by the table in `schema.ts`. Protobuf's rules for repeated input: the last scalar wins, submessages merge,
 * numbers may be packed or not, of a oneof the last member stays.
 */
import type { ByteSource } from "#base/bytes";
import { ByteBuilder } from "#base/byteBuilder";
import { Payload } from "#formats/onnx/payload";
import { isLeftOut } from "#formats/onnx/scanStructure";
import { type Field, fieldTable, keepsUnknown, type Message, type MessageName, oneofs } from "#formats/onnx/schema";
import { WireReader, wireBytes, wireFixed32, wireFixed64, wireVarint } from "#formats/onnx/wireReader";

/** Reads a whole message that is in memory, tensor content included. */
export function decodeBytes<N extends MessageName>(type: N, bytes: Uint8Array, file: string): Message<N> {
  return new Decoder(new WireReader(bytes, file), undefined).message(type, bytes.byteLength, {});
}

/** A model from the skeleton of its file; content that was left out becomes ranges of `source`. */
export function decodeModel(
  skeleton: Uint8Array,
  source: ByteSource,
): { model: Message<"Model">; external: readonly Message<"Tensor">[] } {
  const decoder = new Decoder(new WireReader(skeleton, source.name, source.size), source);
  return { model: decoder.message("Model", source.size, {}), external: decoder.external };
}

class Decoder {
  /** Tensors whose content is in another file. */
  readonly external: Message<"Tensor">[] = [];
  readonly #reader: WireReader;
  readonly #source: ByteSource | undefined;

  constructor(reader: WireReader, source: ByteSource | undefined) {
    this.#reader = reader;
    this.#source = source;
  }

  /** Decodes up to `end` (an offset in the file) into `message`, and returns it. */
  message<N extends MessageName>(type: N, end: number, message: Message<N>): Message<N> {
    const reader = this.#reader;
    const table = fieldTable(type);
    // the table gives each field its type; TypeScript cannot follow a row picked by number
    const target = message as Record<string, unknown>;
    let unknown: ByteBuilder | undefined;
    target["at"] ??= reader.offset;
    while (reader.offset < end) {
      const start = reader.pos;
      reader.tag();
      const field = table[reader.field];
      if (field === undefined) reader.skipValue(end);
      const kept = field !== undefined && this.#field(field, end, target, oneofs[type]);
      if (kept) continue;
      unknown ??= new ByteBuilder();
      unknown.append(reader.bytes.subarray(start, reader.pos));
    }
    if (reader.offset !== end) throw reader.fail("onnx/malformed", "a field crosses the end of its message");
    if (unknown !== undefined) {
      if (message.unknown !== undefined) {
        const both = new ByteBuilder();
        both.append(message.unknown);
        both.append(unknown.bytes());
        unknown = both;
      }
      message.unknown = unknown.bytes();
    }
    if (type === "Tensor" && target["dataLocation"] === 1) this.external.push(message);
    return message;
  }

  /** Reads one field into `target`. False: it could not be understood whole and must be kept as it is. */
  #field(field: Field, end: number, target: Record<string, unknown>, oneof: readonly string[] | undefined): boolean {
    const reader = this.#reader;
    const { name, kind, shape, message } = field;
    if (oneof?.includes(name) === true) for (const other of oneof) if (other !== name) delete target[other];
    if (shape === "data") {
      this.#data(field, end, target);
      return true;
    }
    if (message !== undefined) {
      const stop = this.#length(field, end) + reader.offset;
      const existing = shape === "single" ? (target[name] as Message<MessageName> | undefined) : undefined;
      const value = this.message(message, stop, existing ?? {});
      if (value.unknown !== undefined && !keepsUnknown.has(message)) return false;
      if (shape === "single") target[name] = value;
      else list(target, name).push(value);
      return true;
    }
    if (kind === "string" || kind === "bytes") {
      const length = this.#length(field, end);
      const value = kind === "string" ? reader.string(length) : reader.take(length);
      if (shape === "single") target[name] = value;
      else list(target, name).push(value);
      return true;
    }
    if (shape === "repeated" && reader.wire === wireBytes) {
      const stop = reader.lengthBefore(end) + reader.offset;
      const values = list(target, name);
      while (reader.offset < stop) values.push(this.#scalar(field));
      if (reader.offset !== stop) throw reader.fail("onnx/malformed", `packed ${name} crosses its own end`);
      return true;
    }
    this.#expect(field, wireOf(field));
    if (shape === "single") target[name] = this.#scalar(field);
    else list(target, name).push(this.#scalar(field));
    return true;
  }

  #scalar(field: Field): number | bigint {
    const reader = this.#reader;
    switch (field.kind) {
      case "int32":
        return reader.int32();
      case "int64":
        return reader.int64();
      default:
        return reader.float(); // doubles occur only as tensor data, which is not taken apart
    }
  }

  #data(field: Field, end: number, target: Record<string, unknown>): void {
    const reader = this.#reader;
    // raw_data is one value, of which the last counts; the others are lists
    const payload =
      field.kind === "bytes" ? new Payload() : ((target[field.name] as Payload | undefined) ?? new Payload());
    target[field.name] = payload;
    if (field.kind !== "bytes" && reader.wire !== wireBytes) {
      this.#expect(field, wireOf(field));
      const start = reader.pos;
      reader.skipValue(end);
      payload.add(reader.bytes.subarray(start, reader.pos));
      return;
    }
    const length = this.#length(field, end);
    if (this.#source !== undefined && isLeftOut(field, length)) {
      payload.addRange(this.#source, reader.offset, length);
      reader.base += length;
    } else {
      payload.add(reader.take(length));
    }
  }

  #length(field: Field, end: number): number {
    this.#expect(field, wireBytes);
    return this.#reader.lengthBefore(end);
  }

  #expect(field: Field, wire: number): void {
    const reader = this.#reader;
    if (reader.wire === wire) return;
    throw reader.fail("onnx/malformed", `${field.name} has wire type ${reader.wire} instead of ${wire}`);
  }
}

function wireOf(field: Field): number {
  return field.kind === "float"
    ? wireFixed32
    : field.kind === "double"
      ? wireFixed64
      : field.kind === "bytes"
        ? wireBytes
        : wireVarint;
}

function list(target: Record<string, unknown>, name: string): unknown[] {
  return (target[name] ??= []) as unknown[];
}
