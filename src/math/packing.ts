/**
 * Packs small integers without gaps, lowest bits first: element 0 occupies the low bits of byte 0. For 4 bits this is ONNX's
 * int4 layout, for 2 bits its int2 layout, and MatMulNBits' for 2, 4 and 8. The last byte is filled with zeros.
 */
export function packBits(codes: ArrayLike<number>, bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil((codes.length * bits) / 8));
  const mask = 2 ** bits - 1;
  if (bits === 8) {
    for (let i = 0; i < codes.length; i++) out[i] = codes[i];
  } else if (8 % bits === 0) {
    const perByte = 8 / bits;
    for (let i = 0; i < codes.length; i++) out[(i / perByte) | 0] |= (codes[i] & mask) << ((i % perByte) * bits);
  } else {
    let at = 0;
    for (let i = 0; i < codes.length; i++) {
      let value = codes[i] & mask;
      let left = bits;
      while (left > 0) {
        const used = at & 7;
        out[at >>> 3] |= (value << used) & 0xff;
        const written = Math.min(8 - used, left);
        value >>>= written;
        left -= written;
        at += written;
      }
    }
  }
  return out;
}

/** Undoes `packBits`: `count` unsigned values. */
export function unpackBits(packed: Uint8Array, bits: number, count: number): Uint8Array | Uint16Array {
  const out = bits > 8 ? new Uint16Array(count) : new Uint8Array(count);
  const mask = 2 ** bits - 1;
  for (let i = 0, at = 0; i < count; i++, at += bits) {
    let value = 0;
    for (let got = 0; got < bits; ) {
      const used = (at + got) & 7;
      const take = Math.min(8 - used, bits - got);
      value |= ((packed[(at + got) >>> 3] >>> used) & (2 ** take - 1)) << got;
      got += take;
    }
    out[i] = value & mask;
  }
  return out;
}

/** Reads a `bits`-wide unsigned value as two's complement. → 15 in 4 bits is −1 */
export function signExtend(value: number, bits: number): number {
  return (value << (32 - bits)) >> (32 - bits);
}
