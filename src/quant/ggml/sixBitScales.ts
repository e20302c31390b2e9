/**
 * The 12 bytes in which Q4_K and Q5_K hold eight 6-bit scales and eight 6-bit minima. Bytes 0–3 and 4–7 hold scales and minima
 * 0–3; bytes 8–11 the low halves of scales and minima 4–7, whose upper two bits are the upper two of bytes 0–3 and 4–7.
 */
export function putScales(scales: Uint8Array, minima: Uint8Array, out: Uint8Array, to: number): void {
  for (let j = 0; j < 4; j++) {
    const scale = scales[j + 4];
    const minimum = minima[j + 4];
    out[to + j] = scales[j] | ((scale >>> 4) << 6);
    out[to + j + 4] = minima[j] | ((minimum >>> 4) << 6);
    out[to + j + 8] = (scale & 15) | (minimum << 4);
  }
}

export function getScale(blocks: Uint8Array, from: number, j: number): number {
  return j < 4 ? blocks[from + j] & 63 : (blocks[from + j + 4] & 15) | ((blocks[from + j - 4] >>> 6) << 4);
}

export function getMin(blocks: Uint8Array, from: number, j: number): number {
  return j < 4 ? blocks[from + j + 4] & 63 : (blocks[from + j + 4] >>> 4) | ((blocks[from + j] >>> 6) << 4);
}
