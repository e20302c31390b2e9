/**
 * A rotation of columns that spreads outliers over their neighbours (incoherence processing: QuIP, QuIP#; field.md §4.3):
 * W' = W · diag(signs) · (I ⊗ H/√n), H a Hadamard matrix of order n that divides the number of columns.
 */
export interface Rotation {
  readonly order: number;
  /** ±1, one a column. */
  readonly signs: Int8Array;
}
