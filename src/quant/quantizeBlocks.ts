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
import type { BlockScheme, MatrixLayout } from "#kernels/quantizeBlocks/reference";
import { sharedKernels } from "#kernels/shared";
import { packBits, unpackBits } from "#math/packing";
import { refuseNonFinite } from "#quant/affine";

export type { BlockScheme, MatrixLayout };

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
  const { bits, size, symmetric } = scheme;
  const blocks = layout.n * Math.ceil(layout.k / size);
  const codes = new Uint8Array((blocks * size * bits) / 8);
  const scales = new Float32Array(blocks);
  const zeros = new Uint8Array(symmetric ? 0 : blocks);
  sharedKernels().quantizeBlocks(w, layout, scheme, { codes, scales, zeros });
  if (scales.some(Number.isNaN)) refuseNonFinite(w);
  return { codes, scales, zeroPoints: symmetric ? undefined : packedZeros(zeros, layout.n, bits) };
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

/** Zero points of each column from a byte on. Those that no block has are the middle, as ONNX Runtime leaves them. */
function packedZeros(zeros: Uint8Array, columns: number, bits: number): Uint8Array {
  const perByte = 8 / bits;
  const blocks = columns === 0 ? 0 : zeros.length / columns;
  const bytes = Math.ceil(blocks / perByte);
  const out = new Uint8Array(columns * bytes);
  const row = new Uint8Array(bytes * perByte).fill(2 ** (bits - 1));
  for (let n = 0; n < columns; n++) {
    row.set(zeros.subarray(n * blocks, (n + 1) * blocks));
    out.set(packBits(row, bits), n * bytes);
  }
  return out;
}
