/**
 * Codes of an affine quantization, ONNX's QuantizeLinear: q = clamp(roundHalfEven(x / s) + z), the division in float32.
 *
 * Neighbours share a scale and a zero point: number i belongs to parameter ⌊i / run⌋ modulo their count. So `run` 1 is a scale for
 * each column of a matrix. Infinities take the code at their end; NaN takes `min`.
 */
import { roundHalfEven } from "#math/round";

export interface AffineParameters {
  /** Never 0. */
  readonly scale: Float32Array;
  /** Null: all 0. */
  readonly zeroPoint: Int32Array | null;
  /** Numbers in a row that share a parameter. */
  readonly run: number;
  /** Least and greatest code. */
  readonly min: number;
  readonly max: number;
}

export type Codes = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array;

export function quantizeAffine(
  x: Float32Array,
  { scale, zeroPoint, run, min, max }: AffineParameters,
  codes: Codes,
): void {
  for (let i = 0, parameter = 0; i < x.length; parameter = (parameter + 1) % scale.length) {
    const s = scale[parameter];
    const z = zeroPoint === null ? 0 : zeroPoint[parameter];
    for (const end = Math.min(i + run, x.length); i < end; i++) {
      const q = roundHalfEven(Math.fround(x[i] / s)) + z;
      codes[i] = q > min ? (q < max ? q : max) : min;
    }
  }
}
