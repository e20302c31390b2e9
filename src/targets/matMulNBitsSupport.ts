import { acceptanceRow } from "#targets/acceptance/index";
import type { Acceptance } from "#targets/acceptance/types";

/** What com.microsoft.MatMulNBits takes, and what it is computed with; read from the rows `matMulNBits/…`. */
export interface MatMulNBitsSupport {
  /** Widths of codes. */
  readonly bits: readonly number[];
  readonly blockSizes: readonly number[];
  /** Widths that may have zero points packed like the codes. */
  readonly packedZeroPoints: readonly number[];
  /** Widths that may have zero points of A's type. */
  readonly floatZeroPoints: readonly number[];
  /** Widths at which accuracy_level 4 makes the runtime multiply 8-bit activations, its only fast way, in blocks of 32. */
  readonly int8Activations: readonly number[];
}

/** An answer this close to the exact one was computed on float activations: 8-bit ones are off by some 0.3 %. */
const floatError = 1e-5;

export function matMulNBitsSupport(table: Acceptance): MatMulNBitsSupport {
  const runs = (name: string): boolean => acceptanceRow(table, `matMulNBits/${name}`).verdict === "runs";
  const bits = [1, 2, 3, 4, 5, 6, 7, 8].filter((width) => runs(`${width}-bit`));
  return {
    bits,
    blockSizes: [8, 16, 24, 64, 128, 256]
      .filter((size) => runs(`4-bit-block${size}`))
      .concat(runs("4-bit") ? [32] : [])
      .sort((a, b) => a - b),
    packedZeroPoints: bits.filter((width) => runs(`${width}-bit-packedZero`)),
    floatZeroPoints: bits.filter((width) => runs(`${width}-bit-floatZero`)),
    int8Activations: bits.filter(
      (width) => (acceptanceRow(table, `matMulNBits/${width}-bit-level4`).error ?? 0) > floatError,
    ),
  };
}
