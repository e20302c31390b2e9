/**
 * What an ideal entropy coder would need: Shannon's −Σ p·log₂ p bits a symbol (the bound of the Huffman stage of Deep Compression,
 * Han et al. 2016). Tables are not counted.
 */

/** How often each symbol of 1 to 16 bits occurs in packed bytes, lowest bits first, which come in pieces. Bits left over are padding. */
export class SymbolCounts {
  readonly counts: Float64Array;
  readonly #bits: number;
  /** Bits of a symbol that the bytes so far did not complete. */
  #rest = 0;
  #restBits = 0;

  constructor(bits: number) {
    this.#bits = bits;
    this.counts = new Float64Array(2 ** bits);
  }

  add(bytes: Uint8Array): void {
    const bits = this.#bits;
    const { counts } = this;
    if (bits === 8) {
      for (let i = 0; i < bytes.length; i++) counts[bytes[i]]++;
      return;
    }
    const mask = 2 ** bits - 1;
    let rest = this.#rest;
    let held = this.#restBits;
    for (let i = 0; i < bytes.length; i++) {
      rest |= bytes[i] << held;
      for (held += 8; held >= bits; held -= bits) {
        counts[rest & mask]++;
        rest >>>= bits;
      }
    }
    this.#rest = rest;
    this.#restBits = held;
  }
}

/** Bits for all symbols together. → [1, 1] gives 2, [8, 0] gives 0 */
export function entropyBits(counts: Float64Array): number {
  let total = 0;
  for (const count of counts) total += count;
  let bits = 0;
  for (const count of counts) if (count > 0) bits += count * Math.log2(total / count);
  return bits;
}
