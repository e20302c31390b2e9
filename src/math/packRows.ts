/**
 * Rows of codes of equal width, packed without gaps, lowest bits first; each row begins at a 32-bit word, and its last word is filled
 * up with zeros. Read as int32 this is, up to 8 bits, what `pack_to_int32` of compressed-tensors 0.20 gives.
 */
import { packBits, unpackBits } from "#math/packing";

/** Bytes of a packed row. */
export function rowBytes(columns: number, bits: number): number {
  return Math.ceil((columns * bits) / 32) * 4;
}

/** Packs code − lowest, so that the lowest code is 0. codes: [rows, columns]. */
export function packRows(
  codes: ArrayLike<number>,
  columns: number,
  bits: number,
  lowest: number,
): Uint8Array<ArrayBuffer> {
  const rows = columns === 0 ? 0 : codes.length / columns;
  const stride = rowBytes(columns, bits);
  const out = new Uint8Array(rows * stride);
  const row = new Uint16Array(columns);
  for (let r = 0; r < rows; r++) {
    const first = r * columns;
    let to = r * stride;
    if (bits === 8) {
      for (let i = first; i < first + columns; i++) out[to++] = codes[i] - lowest;
    } else if (bits === 4 && columns % 2 === 0) {
      for (let i = first; i < first + columns; i += 2) out[to++] = (codes[i] - lowest) | ((codes[i + 1] - lowest) << 4);
    } else {
      for (let i = 0; i < columns; i++) row[i] = codes[first + i] - lowest;
      out.set(packBits(row, bits), to);
    }
  }
  return out;
}

/** Undoes `packRows`. */
export function unpackRows(
  packed: Uint8Array,
  rows: number,
  columns: number,
  bits: number,
  lowest: number,
): Int32Array {
  const stride = rowBytes(columns, bits);
  const out = new Int32Array(rows * columns);
  for (let r = 0, to = 0; r < rows; r++) {
    const row = unpackBits(packed.subarray(r * stride, (r + 1) * stride), bits, columns);
    for (let i = 0; i < columns; i++) out[to++] = row[i] + lowest;
  }
  return out;
}
