/** Bytes that grow at the end; capacity doubles. */
export class ByteBuilder {
  #buffer: Uint8Array;
  length = 0;

  constructor(capacity = 64) {
    this.#buffer = new Uint8Array(capacity);
  }

  append(bytes: Uint8Array): void {
    const needed = this.length + bytes.byteLength;
    if (needed > this.#buffer.byteLength) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.byteLength * 2));
      grown.set(this.#buffer.subarray(0, this.length));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.length);
    this.length = needed;
  }

  /** What was appended; a view, valid until the next append. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }
}
