/**
 * Products of matrices: C[m, n] = Σ A[m, k]·B[n, k]. Rows of both lie in memory one after another, so B is what a layer has: a row
 * of weights for each output.
 */
export interface GemmShape {
  readonly m: number;
  readonly n: number;
  /** Length of a row: numbers, or of `gemmBits` words of 32 bits. */
  readonly k: number;
}

/**
 * In float32. Summed in float64 here; the kernels sum in float32, in an order of their own and with one rounding or two for a
 * product and its sum, so that |C − Ĉ| ≤ 2k·u·Σ|a·b| for each element, u = 2⁻²⁴ and k·u small (Higham 2002, §3.1).
 */
export function gemmFloat32({ m, n, k }: GemmShape, a: Float32Array, b: Float32Array, c: Float32Array): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += a[i * k + l] * b[j * k + l];
      c[i * n + j] = sum;
    }
  }
}

/** Of signed bytes, exactly; sums beyond 32 bits wrap. */
export function gemmInt8({ m, n, k }: GemmShape, a: Int8Array, b: Int8Array, c: Int32Array): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum = (sum + a[i * k + l] * b[j * k + l]) | 0;
      c[i * n + j] = sum;
    }
  }
}

/**
 * Of signed bytes and numbers of 7 bits, 0 to 127, exactly: codes of 2 to 7 bits are such numbers. Faster than `gemmInt8` where the
 * processor has an instruction for it; what lies above 127 gives what the processor makes of it.
 */
export function gemmInt8x7(shape: GemmShape, a: Int8Array, b: Uint8Array, c: Int32Array): void {
  gemmInt8(shape, a, new Int8Array(b.buffer, b.byteOffset, b.length), c);
}

/**
 * Of bits: in how many of the 32·k bits a row of A and a row of B differ. Where bits stand for ±1, their product is 32·k less twice
 * that.
 */
export function gemmBits({ m, n, k }: GemmShape, a: Uint32Array, b: Uint32Array, c: Int32Array): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let differ = 0;
      for (let l = 0; l < k; l++) differ += ones(a[i * k + l] ^ b[j * k + l]);
      c[i * n + j] = differ;
    }
  }
}

/** Bits of a word that are 1 (Warren 2013, "Hacker's Delight", §5-1). */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
