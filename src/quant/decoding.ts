/**
 * How codes become numbers. Many encoders, few decodings: formats, kernels and targets meet only these four, so a new quantizer
 * touches none of them.
 *
 * All of them speak of a matrix: rows are a layer's outputs (channels, rows of a table, tokens), columns are what it sums over.
 * Who holds a tensor of another rank brings it into that view and back.
 */
import type { Affine } from "#quant/affine";
import type { DTypeName } from "#quant/dtype";
import type { GgmlTypeName } from "#quant/ggml/index";
import type { Granularity } from "#quant/granularity";
import type { Scales } from "#quant/scales";

export type { Scales } from "#quant/scales";

export type Decoding = Affine | Lookup | Codebook | Ggml;

/** x̂ = table[code] · scale. K-means, float8, float4, nf4, logarithmic, binary and ternary weights. */
export interface Lookup {
  readonly kind: "lookup";
  /** Width of a code when packed. */
  readonly bits: number;
  /** Which elements share a table. */
  readonly tableGranularity: Granularity;
  /** One table after another, each of `entries` values, a code an entry; `entries` ≤ 2^bits. */
  readonly tables: Float32Array;
  readonly entries: number;
  /** The standard format whose codes these are, where they are one's: a file may then store them natively. */
  readonly dtype?: DTypeName;
  /** Null: all 1. */
  readonly scale: Scales | null;
}

/**
 * x̂ = Σ over stages of the entry that the stage's code names: vector (one stage, one book), product (a book for each group of
 * columns) and residual (several stages) quantization. A code stands for `length` neighbours of a row.
 */
export interface Codebook {
  readonly kind: "codebook";
  /** Values an entry has; divides the number of columns. */
  readonly length: number;
  readonly stages: readonly CodebookStage[];
  /** Null: all 1. */
  readonly scale: Scales | null;
}

export interface CodebookStage {
  /** Width of a code when packed. */
  readonly bits: number;
  /** Books stand side by side: columns are divided evenly, in order, among them. */
  readonly books: number;
  readonly entries: number;
  /** [books, entries, length]. */
  readonly values: Float32Array;
}

/** Blocks of ggml, whose bytes the codes are: scales lie within. */
export interface Ggml {
  readonly kind: "ggml";
  readonly type: GgmlTypeName;
}
