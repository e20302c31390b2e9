import type { Decoding } from "#quant/decoding";
import type { Rotation } from "#quant/rotation";

/** A quantized matrix: what it is made of, and nothing of how it came about. */
export interface QTensor {
  /** As it was asked for: `kmeans:16/channel`. */
  readonly scheme: string;
  readonly rows: number;
  readonly columns: number;
  /**
   * affine and lookup: one code an element, row by row. codebook: [stages, rows, columns / length], the codes of one stage after
   * another. ggml: the bytes of the blocks, row by row.
   */
  readonly codes: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array;
  readonly decoding: Decoding;
  /** Where set, codes stand for the matrix times this rotation. */
  readonly rotation?: Rotation;
}
