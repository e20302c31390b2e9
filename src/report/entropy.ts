/**
 * What an ideal entropy coder would need: Shannon's −Σ p·log₂ p bits a symbol (the bound of the Huffman stage of Deep Compression,
 * Han et al. 2016). Tables are not counted.
 */

/** How often each symbol of 1, 2, 4 or 8 bits occurs in packed bytes, lowest bits first. `counts` has 2^bits places. */
export function countSymbols(bytes: Uint8Array, bits: number, counts: Float64Array): void {
  if (bits === 8) {
    for (let i = 0; i < bytes.length; i++) counts[bytes[i]]++;
    return;
  }
  const mask = 2 ** bits - 1;
  for (let i = 0; i < bytes.length; i++) {
    for (let shift = 0; shift < 8; shift += bits) counts[(bytes[i] >>> shift) & mask]++;
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
