/**
 * Blocks of a matrix as ONNX Runtime's own quantizer makes them (MatMulNBits, com.microsoft in ContribOperators.md). W [K, N] is cut
 * into blocks of `size` values along K, and each block has a scale and, if asymmetric, a zero point. With b bits, all in float32:
 *
 *   symmetric   s = the value of greatest magnitude, with its sign, / −2ᵇ⁻¹;  z = 2ᵇ⁻¹
 *   asymmetric  s = (max(W, 0) − min(W, 0)) / (2ᵇ − 1);  z = round(−min(W, 0) / s)
 *   code        clamp(round(W · (1/s) + z), 0, 2ᵇ − 1), halves away from zero
 *
 * A block with NaN or an infinity gets the scale NaN, and zeros for all else. A block of zeros has the scale ±0.
 */
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

/** What is filled; all of it lies column after column. */
export interface Blocks {
  /** [N, ⌈K/size⌉, size·bits/8], lowest bits first; what pads the last block is 0. */
  readonly codes: Uint8Array;
  /** [N, ⌈K/size⌉]. */
  readonly scales: Float32Array;
  /** [N, ⌈K/size⌉], one a byte; not touched where the scheme is symmetric. */
  readonly zeros: Uint8Array;
}

/** Blocks `firstBlock` to `endBlock` of columns `firstColumn` to `endColumn`; the ends are not among them. */
export interface Region {
  readonly firstBlock: number;
  readonly endBlock: number;
  readonly firstColumn: number;
  readonly endColumn: number;
}

/** Fills the blocks of a region. Default: all. */
export function quantizeBlocks(
  w: Float32Array,
  layout: MatrixLayout,
  scheme: BlockScheme,
  out: Blocks,
  region?: Region,
): void {
  const { k: rows, n: columns, transposed } = layout;
  const { bits, size, symmetric } = scheme;
  const fround = Math.fround;
  const blocks = Math.ceil(rows / size);
  const blockBytes = (size * bits) / 8;
  const top = 2 ** bits - 1;
  const middle = 2 ** (bits - 1);
  const [firstBlock, endBlock] = region ? [region.firstBlock, region.endBlock] : [0, blocks];
  const [firstColumn, endColumn] = region ? [region.firstColumn, region.endColumn] : [0, columns];
  // neighbours in memory come one after another, whichever way the matrix lies
  const [step, columnStep] = transposed ? [1, rows] : [columns, 1];
  for (let b = firstBlock; b < endBlock; b++) {
    const first = b * size;
    const count = Math.min(size, rows - first);
    for (let n = firstColumn; n < endColumn; n++) {
      const start = first * step + n * columnStep;
      const block = n * blocks + b;
      let low = w[start];
      let high = low;
      for (let i = 1, at = start + step; i < count; i++, at += step) {
        const v = w[at];
        if (v < low) low = v;
        else if (v > high) high = v;
        else if (Number.isNaN(v)) low = v; // and stays: nothing is less
      }
      if (!(high - low < Number.POSITIVE_INFINITY)) {
        out.scales[block] = Number.NaN;
        if (!symmetric) out.zeros[block] = 0;
        out.codes.fill(0, block * blockBytes, (block + 1) * blockBytes);
        continue;
      }
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
        out.zeros[block] = zero;
      }
      out.scales[block] = scale;
      const inverse = scale === 0 ? 0 : fround(1 / scale);
      // of subnormal scales the inverse is infinite
      const exact = inverse - inverse !== 0;
      let to = block * blockBytes;
      let byte = 0;
      let shift = 0;
      for (let i = 0, at = start; i < count; i++, at += step) {
        const scaled = exact ? fround(w[at] / scale) : fround(w[at] * inverse);
        const code = Math.floor(fround(scaled + zero) + 0.5);
        byte |= (code < 0 ? 0 : code > top ? top : code) << shift;
        shift += bits;
        if (shift === 8) {
          out.codes[to++] = byte;
          byte = shift = 0;
        }
      }
      if (shift > 0) out.codes[to] = byte;
    }
  }
}
