/** What a block type of ggml is; each family has a file beside this one, and all are rows of index.ts. */

/** How much errors matter, as llama.cpp's `--imatrix` says it. */
export interface Importance {
  /** One an element, at the element's index. */
  readonly values: Float32Array;
  /** Mean of the squares of the row that is being encoded, float32. */
  readonly rowMeanSquare: number;
}

/**
 * A block stands for a fixed number of neighbours in a row, by a fixed number of bytes: scales first or last, codes packed.
 * Multi-byte numbers are little-endian.
 */
export interface GgmlType {
  /** In `enum ggml_type`; what a GGUF file says. */
  readonly id: number;
  /** Elements a block has; rows have a multiple of them. */
  readonly elements: number;
  readonly bytes: number;
  /** How many of the bytes hold scales, minima and sums; the others hold codes. */
  readonly scaleBytes: number;
  /** Only for products inside a running program: no file holds it, llama.cpp opens none that does. */
  readonly internal?: true;
  /** Writes the block of x[from], x[from + 1], … to out[to], …; every byte of it. */
  readonly encode: (
    x: Float32Array,
    from: number,
    out: Uint8Array,
    to: number,
    importance: Importance | undefined,
  ) => void;
  /** Writes all blocks of x, without importance: what `encode` writes, where there is a faster way. */
  readonly encodeAll?: (x: Float32Array, out: Uint8Array) => void;
  /** Writes what the block at blocks[from] stands for to out[to], …. */
  readonly decode: (blocks: Uint8Array, from: number, out: Float32Array, to: number) => void;
}
