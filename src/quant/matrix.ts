/** A matrix to quantize: rows are a layer's outputs, columns what it sums over. */
export interface Matrix {
  /** Row by row; finite. */
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
}
