/**
 * Block quantization of a matrix as ONNX Runtime's own quantizer does it, bit for bit, in the layout that its kernels read
 * (MatMulNBits, GatherBlockQuantized; com.microsoft in ContribOperators.md). W [K, N] is cut into blocks of `size` values along
 * K, and each block has a scale and, if asymmetric, a zero point. With b bits and all arithmetic in float32:
 *
 *   symmetric   s = the value of greatest magnitude, with its sign, / −2ᵇ⁻¹;  z = 2ᵇ⁻¹, not stored.
 *               So s may be negative, and the extreme value always has code 0: both ends of the codes are used.
 *   asymmetric  s = (max(W, 0) − min(W, 0)) / (2ᵇ − 1);  z = round(−min(W, 0) / s)
 *   code        clamp(round(W · (1/s) + z), 0, 2ᵇ − 1), halves away from zero;  Ŵ = (code − z)·s
 */
import { packBits, unpackBits } from "#math/packing";
import { refuseNonFinite } from "#quant/affine";

export interface BlockScheme {
  /** Width of a code: what kernels exist for. */
  readonly bits: 2 | 4 | 8;
  /** Values that share a scale: a power of two, 16 or more. */
  readonly size: number;
  readonly symmetric: boolean;
}

/** Where W's element (k, n) lies: `transposed` is [N, K] in memory, otherwise [K, N]. */
export interface MatrixLayout {
  readonly k: number;
  readonly n: number;
  readonly transposed: boolean;
}

export interface BlockCodes {
  /** [N, ⌈K/size⌉, size·bits/8]: codes of one column after another, lowest bits first; what pads the last block is 0. */
  readonly codes: Uint8Array;
  /** [N, ⌈K/size⌉]. 0 for a block of zeros. */
  readonly scales: Float32Array;
  /** [N, ⌈⌈K/size⌉·bits/8⌉]: packed like the codes, each row from a byte on. Undefined: all 2ᵇ⁻¹. */
  readonly zeroPoints: Uint8Array | undefined;
}

/** Throws quant/non-finite where W holds NaN or an infinity. */
export function quantizeBlocks(w: Float32Array, layout: MatrixLayout, scheme: BlockScheme): BlockCodes {
  const { k: rows, n: columns, transposed } = layout;
  const { bits, size, symmetric } = scheme;
  const fround = Math.fround;
  const blocks = Math.ceil(rows / size);
  const perByte = 8 / bits;
  const blockBytes = size / perByte;
  const zeroBytes = Math.ceil(blocks / perByte);
  const top = 2 ** bits - 1;
  const middle = 2 ** (bits - 1);
  const codes = new Uint8Array(columns * blocks * blockBytes);
  const scales = new Float32Array(columns * blocks);
  const zeroPoints = symmetric ? undefined : packedMiddles(columns, zeroBytes, bits);
  // neighbours in memory come one after another, whichever way the matrix lies
  const [step, columnStep] = transposed ? [1, rows] : [columns, 1];
  for (let b = 0; b < blocks; b++) {
    const first = b * size;
    const count = Math.min(size, rows - first);
    for (let n = 0; n < columns; n++) {
      const start = first * step + n * columnStep;
      let low = w[start];
      let high = low;
      for (let i = 1, at = start + step; i < count; i++, at += step) {
        const v = w[at];
        if (v < low) low = v;
        else if (v > high) high = v;
        else if (Number.isNaN(v)) low = v; // and stays: nothing is less
      }
      if (!(high - low < Number.POSITIVE_INFINITY)) refuseNonFinite(w);
      let scale: number;
      let zero = middle;
      if (symmetric) scale = fround((Math.abs(high) > Math.abs(low) ? high : low) / -middle);
      else {
        if (low > 0) low = 0;
        if (high < 0) high = 0;
        const span = fround(high - low);
        // a span beyond float32 still has a finite step
        scale = fround((span === Number.POSITIVE_INFINITY ? high - low : span) / top);
        zero = scale === 0 ? 0 : Math.min(top, Math.floor(fround(0 - fround(low / scale)) + 0.5));
      }
      const block = n * blocks + b;
      scales[block] = scale;
      if (zeroPoints !== undefined) {
        const shift = (b % perByte) * bits;
        const byte = n * zeroBytes + Math.floor(b / perByte);
        zeroPoints[byte] = (zeroPoints[byte] & ~(top << shift)) | (zero << shift);
      }
      const inverse = scale === 0 ? 0 : fround(1 / scale);
      // of subnormal scales the inverse is infinite
      const exact = inverse - inverse !== 0;
      let out = block * blockBytes;
      let byte = 0;
      let shift = 0;
      for (let i = 0, at = start; i < count; i++, at += step) {
        const scaled = exact ? fround(w[at] / scale) : fround(w[at] * inverse);
        const code = Math.floor(fround(scaled + zero) + 0.5);
        byte |= (code < 0 ? 0 : code > top ? top : code) << shift;
        shift += bits;
        if (shift === 8) {
          codes[out++] = byte;
          byte = shift = 0;
        }
      }
      if (shift > 0) codes[out] = byte;
    }
  }
  return { codes, scales, zeroPoints };
}

/** Ŵ, lying as W lay. */
export function dequantizeBlocks(
  { codes, scales, zeroPoints }: BlockCodes,
  layout: MatrixLayout,
  { bits, size }: BlockScheme,
): Float32Array {
  const { k: rows, n: columns, transposed } = layout;
  const blocks = Math.ceil(rows / size);
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const [step, columnStep] = transposed ? [1, rows] : [columns, 1];
  const w = new Float32Array(rows * columns);
  for (let n = 0; n < columns; n++) {
    const unpacked = unpackBits(codes.subarray((n * blocks * size * bits) / 8), bits, rows);
    const zeros = zeroPoints && unpackBits(zeroPoints.subarray(n * zeroBytes), bits, blocks);
    for (let k = 0; k < rows; k++) {
      const b = Math.floor(k / size);
      w[k * step + n * columnStep] = (unpacked[k] - (zeros?.[b] ?? 2 ** (bits - 1))) * scales[n * blocks + b];
    }
  }
  return w;
}

/** Zero points that no block has are the middle, as ONNX Runtime leaves them. */
function packedMiddles(columns: number, zeroBytes: number, bits: number): Uint8Array {
  const [middles] = packBits(new Uint8Array(8 / bits).fill(2 ** (bits - 1)), bits);
  return new Uint8Array(columns * zeroBytes).fill(middles);
}
