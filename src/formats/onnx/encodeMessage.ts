/**
 * Messages → bytes, from the last byte to the first: when a message's length is needed its content is already written, so no size is
 * computed twice. Tensor content is not copied: the result is a list of structure bytes and references to content, in file order.
 */
import { LowbitError } from "#base/errors";
import type { Payload } from "#formats/onnx/payload";
import { type Field, fieldsOf, type Message, type MessageName } from "#formats/onnx/schema";
import { wireBytes, wireFixed32, wireVarint } from "#formats/onnx/wireReader";
import type { TensorData } from "#model/model";

export interface Encoded {
  readonly length: number;
  readonly parts: readonly (Uint8Array | TensorData)[];
}

export function encodeMessage<N extends MessageName>(type: N, message: Message<N>): Encoded {
  const writer = new BackwardWriter();
  writeMessage(writer, type, message);
  return { length: writer.length, parts: writer.finish() };
}

function writeMessage(writer: BackwardWriter, type: MessageName, message: object): void {
  // the table gives each field its type; TypeScript cannot follow a row picked at run time
  const source = message as Record<string, unknown>;
  if (source["unknown"] !== undefined) writer.bytes(source["unknown"] as Uint8Array);
  const fields = fieldsOf(type);
  for (let i = fields.length - 1; i >= 0; i--) {
    const field = fields[i];
    const value = source[field.name];
    if (value === undefined) continue;
    if (field.shape === "repeated") {
      const values = value as readonly unknown[];
      for (let j = values.length - 1; j >= 0; j--) writeField(writer, field, values[j]);
    } else {
      writeField(writer, field, value);
    }
  }
}

function writeField(writer: BackwardWriter, field: Field, value: unknown): void {
  const { kind, message } = field;
  const before = writer.length;
  if (field.shape === "data") {
    const { pieces, length } = value as Payload;
    for (let i = pieces.length - 1; i >= 0; i--) writer.content(pieces[i]);
    writer.varint(length);
    writer.tag(field.number, wireBytes);
  } else if (message !== undefined) {
    writeMessage(writer, message, value as object);
    writer.varint(writer.length - before);
    writer.tag(field.number, wireBytes);
  } else if (kind === "string" || kind === "bytes") {
    writer.bytes(kind === "string" ? new TextEncoder().encode(value as string) : (value as Uint8Array));
    writer.varint(writer.length - before);
    writer.tag(field.number, wireBytes);
  } else if (kind === "float") {
    writer.float(value as number);
    writer.tag(field.number, wireFixed32);
  } else {
    writer.varint(value as number | bigint);
    writer.tag(field.number, wireVarint);
  }
}

const chunkBytes = 64 * 1024;

class BackwardWriter {
  length = 0;
  /** From the end of the file to its start. */
  readonly #parts: (Uint8Array | TensorData)[] = [];
  #chunk = new Uint8Array(chunkBytes);
  #start = chunkBytes;
  /** Content of `#chunk` before this is in `#parts` or free. */
  #end = chunkBytes;
  readonly #scratch = new Uint8Array(10);
  readonly #view = new DataView(this.#scratch.buffer);

  bytes(bytes: Uint8Array): void {
    const { byteLength } = bytes;
    this.length += byteLength;
    if (byteLength > this.#start) this.#newChunk();
    if (byteLength > chunkBytes) {
      this.#parts.push(bytes);
      return;
    }
    this.#start -= byteLength;
    this.#chunk.set(bytes, this.#start);
  }

  content(data: TensorData): void {
    if (data.kind === "bytes") {
      this.bytes(data.bytes);
      return;
    }
    if (data.kind === "strings") throw new TypeError("strings are not content");
    this.#flush();
    this.#parts.push(data);
    this.length += data.length;
  }

  tag(number: number, wire: number): void {
    this.varint(number * 8 + wire);
  }

  /** Negative numbers take ten bytes, as protobuf's int32 and int64 do. */
  varint(value: number | bigint): void {
    if (typeof value === "number" && !Number.isSafeInteger(value)) {
      throw new LowbitError("model/attribute", `${value} is written as an integer but is none`, {
        hint: "integers beyond 2⁵³ are bigint",
      });
    }
    let low: number;
    let high: number;
    if (typeof value === "number") {
      low = value >>> 0; // modulo 2³²
      high = Math.floor(value / 0x100000000) >>> 0;
    } else {
      low = Number(BigInt.asUintN(32, value));
      high = Number(BigInt.asUintN(32, value >> 32n));
    }
    const scratch = this.#scratch;
    let count = 0;
    while (high !== 0 || low > 0x7f) {
      scratch[count++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    scratch[count++] = low;
    this.bytes(scratch.subarray(0, count));
  }

  float(value: number): void {
    this.#view.setFloat32(0, value, true);
    this.bytes(this.#scratch.subarray(0, 4));
  }

  finish(): readonly (Uint8Array | TensorData)[] {
    this.#flush();
    return this.#parts.reverse();
  }

  #flush(): void {
    if (this.#start < this.#end) this.#parts.push(this.#chunk.subarray(this.#start, this.#end));
    this.#end = this.#start;
  }

  #newChunk(): void {
    this.#flush();
    this.#chunk = new Uint8Array(chunkBytes);
    this.#start = chunkBytes;
    this.#end = chunkBytes;
  }
}
