import type { ByteSource } from "#base/bytes";
import { ByteBuilder } from "#base/byteBuilder";
import type { TensorData } from "#model/model";

const joinedBytes = 256;

/**
 * The content of one tensor field: pieces of packed protobuf elements, in order. A writer splits a repeated field as it likes,
 * so there can be several; large pieces stay in the file.
 */
export class Payload {
  readonly pieces: TensorData[] = [];
  length = 0;
  #tail: ByteBuilder | undefined;

  static of(data: TensorData, length: number): Payload {
    const payload = new Payload();
    payload.pieces.push(data);
    payload.length = length;
    return payload;
  }

  /** Packed elements; small pieces are joined, so that a field written element by element stays small in memory. */
  add(bytes: Uint8Array): void {
    this.length += bytes.byteLength;
    if (this.pieces.length === 0 || bytes.byteLength > joinedBytes) {
      this.#closeTail();
      this.pieces.push({ kind: "bytes", bytes });
    } else {
      this.#tail ??= new ByteBuilder();
      this.#tail.append(bytes);
    }
  }

  addRange(source: ByteSource, offset: number, length: number): void {
    this.#closeTail();
    this.pieces.push({ kind: "range", source, offset, length });
    this.length += length;
  }

  /** All pieces, complete. */
  finish(): readonly TensorData[] {
    this.#closeTail();
    return this.pieces;
  }

  #closeTail(): void {
    if (this.#tail === undefined) return;
    this.pieces.push({ kind: "bytes", bytes: this.#tail.bytes() });
    this.#tail = undefined;
  }
}
