/**
 * Packs codes of 2 or 4 bits without gaps, lowest bits first: code 0 lies in the low bits of byte 0. Of signed codes the low bits
 * are taken. The last byte is filled with zeros.
 */
export function packCodes(codes: Uint8Array | Int8Array, bits: 2 | 4, packed: Uint8Array): void {
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  for (let i = 0, at = 0; i < codes.length; at++) {
    let byte = 0;
    for (let j = 0; j < perByte && i < codes.length; j++, i++) byte |= (codes[i] & mask) << (j * bits);
    packed[at] = byte;
  }
}
