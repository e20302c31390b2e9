/**
 * Matrix products in blocks that fit the caches, after Goto & van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication",
 * and BLIS: some rows of B at all their length, interleaved, then blocks of A against them, 256 words at a time. Rows are brought
 * into scratch block by block, so matrices of any size pass.
 */
import type { Engine, Numbers } from "#kernels/engine";
import { firstDifference } from "#kernels/firstDifference";
import { gemmBits, gemmFloat32, gemmInt8, gemmInt8x7, type GemmShape } from "#kernels/gemm/reference";
import { gemmModule, type GemmKind, kinds, rowsOfA, rowsOfB } from "#kernels/gemm/wasm";

/** Words of a block's rows, rows of A in a block, and most rows of B in one. */
const blockWords = 256;
const blockRowsOfA = 96;
const blockRowsOfB = 1024;
/** Of scratch, for the interleaved rows of B. */
const bytesOfB = 3 * 1024 * 1024;

interface Form {
  readonly kind: GemmKind;
  /** Numbers in a word. */
  readonly perWord: number;
  /** Bytes become 16 bits on the way. */
  readonly widen: boolean;
}

/** Whether the product is worth blocks, and can be had in them. */
function suits({ m, n, k }: GemmShape, { perWord }: Form): boolean {
  return m * n * k >= 4096 && padded(Math.ceil(k / perWord), 4) * 4 * rowsOfB <= bytesOfB;
}

function multiply<T extends Numbers>(
  engine: Engine,
  form: Form,
  { m, n, k }: GemmShape,
  a: T,
  b: T,
  c: Float32Array | Int32Array,
): void {
  const { kind, perWord, widen } = form;
  const kernel = engine.load(`gemm ${kind.name}`, gemmModule(kind));
  const words = padded(Math.ceil(k / perWord), 4);
  const mostOfB = Math.min(blockRowsOfB, padded(n, rowsOfB), Math.floor(bytesOfB / (4 * words) / rowsOfB) * rowsOfB);
  const mostOfA = Math.min(blockRowsOfA, padded(m, rowsOfA));
  engine.clear();
  const panelsOfB = engine.room(4 * words * mostOfB);
  const panelsOfA = engine.room(4 * blockWords * mostOfA);
  // the kernel's kind decides what these bits are; they are copied as they are
  const block = engine.roomFor(Int32Array, mostOfA * mostOfB);
  const out = new Int32Array(c.buffer, c.byteOffset, c.length);
  const narrow = new Uint8Array(engine.memory.buffer, engine.room(4 * 4 * blockWords), 4 * 4 * blockWords);
  const wide = widen ? engine.room(2 * narrow.length) : narrow.byteOffset;
  /** Bytes of a word's numbers before they are widened. */
  const wordBytes = perWord * a.BYTES_PER_ELEMENT;

  /** Four rows' words `first` to `end`, interleaved; rows and words that do not exist are 0. */
  const interleave = (
    from: T,
    row: number,
    rows: number,
    first: number,
    end: number,
    to: number,
    step: number,
  ): void => {
    const stride = (end - first) * wordBytes;
    const numbers = Math.min(k, end * perWord) - first * perWord;
    const bytes = numbers * from.BYTES_PER_ELEMENT;
    if (row + 4 > rows || bytes < stride) narrow.fill(0, 0, 4 * stride);
    for (let r = row; r < Math.min(rows, row + 4); r++) {
      const start = from.byteOffset + (r * k + first * perWord) * from.BYTES_PER_ELEMENT;
      narrow.set(new Uint8Array(from.buffer, start, bytes), (r - row) * stride);
    }
    if (widen) kernel.widen(narrow.byteOffset, 4 * stride, wide);
    kernel.interleave(wide, widen ? 2 * stride : stride, end - first, to, step);
  };
  /** The same for all rows of a block, `group` rows beside one another. */
  const panels = (from: T, row: number, end: number, group: number, first: number, last: number, to: number): void => {
    const bytes = 4 * group * (last - first);
    for (let r = row; r < end; r += 4) {
      const panel = Math.floor((r - row) / group);
      const within = ((r - row) % group) * 4;
      interleave(from, r, from === a ? m : n, first, last, to + panel * bytes + within, 4 * group);
    }
  };

  for (let j = 0; j < n; j += mostOfB) {
    const wideOfB = padded(Math.min(mostOfB, n - j), rowsOfB);
    for (let l = 0; l < words; l += blockWords)
      panels(b, j, j + wideOfB, rowsOfB, l, Math.min(words, l + blockWords), panelsOfB + 4 * l * wideOfB);
    for (let i = 0; i < m; i += mostOfA) {
      const highOfA = padded(Math.min(mostOfA, m - i), rowsOfA);
      block.fill(0, 0, highOfA * wideOfB);
      for (let l = 0; l < words; l += blockWords) {
        const end = Math.min(words, l + blockWords);
        panels(a, i, i + highOfA, rowsOfA, l, end, panelsOfA);
        const at = panelsOfB + 4 * l * wideOfB;
        kernel.multiply(panelsOfA, highOfA / rowsOfA, at, wideOfB / rowsOfB, end - l, block.byteOffset, 4 * wideOfB);
      }
      const columns = Math.min(mostOfB, n - j);
      for (let r = 0; r < Math.min(mostOfA, m - i); r++)
        out.set(block.subarray(r * wideOfB, r * wideOfB + columns), (i + r) * n + j);
    }
  }
}

function padded(count: number, to: number): number {
  return Math.ceil(count / to) * to;
}

/** The kernel on an engine; see reference.ts. */
export function fastGemmFloat32(engine: Engine): typeof gemmFloat32 {
  const form = { kind: engine.relaxed ? kinds.float32Fused : kinds.float32, perWord: 1, widen: false };
  return (shape, a, b, c) =>
    suits(shape, form) ? multiply(engine, form, shape, a, b, c) : gemmFloat32(shape, a, b, c);
}

/** The kernel on an engine; see reference.ts. */
export function fastGemmInt8(engine: Engine): typeof gemmInt8 {
  const form = { kind: kinds.int16, perWord: 2, widen: true };
  return (shape, a, b, c) => (suits(shape, form) ? multiply(engine, form, shape, a, b, c) : gemmInt8(shape, a, b, c));
}

/**
 * The kernel on an engine; see reference.ts. An engine's relaxed instruction is asked for known answers before it is trusted: that
 * of Node 20, behind a flag, gave twice of them.
 */
export function fastGemmInt8x7(engine: Engine): typeof gemmInt8x7 {
  const form = { kind: kinds.int8x7, perWord: 4, widen: false };
  const exact = fastGemmInt8(engine);
  const signed = (b: Uint8Array): Int8Array => new Int8Array(b.buffer, b.byteOffset, b.length);
  let trusted: boolean | undefined = engine.relaxed ? undefined : false;
  return (shape, a, b, c) => {
    trusted ??= givesKnownAnswers(engine, form);
    if (!trusted) exact(shape, a, signed(b), c);
    else if (suits(shape, form)) multiply(engine, form, shape, a, signed(b), c);
    else gemmInt8x7(shape, a, b, c);
  };
}

function givesKnownAnswers(engine: Engine, form: Form): boolean {
  const shape = { m: 4, n: 8, k: 64 };
  // both ends of both ranges meet
  const a = Int8Array.from({ length: 256 }, (_, i) => (i < 64 ? -128 : i < 128 ? 127 : i * 37));
  const b = Int8Array.from({ length: 512 }, (_, i) => (i < 128 ? 127 : (i * 53) & 127));
  const [made, expected] = [new Int32Array(32), new Int32Array(32)];
  multiply(engine, form, shape, a, b, made);
  gemmInt8(shape, a, b, expected);
  return firstDifference(made, expected) < 0;
}

/** The kernel on an engine; see reference.ts. */
export function fastGemmBits(engine: Engine): typeof gemmBits {
  const form = { kind: kinds.bits, perWord: 1, widen: false };
  return (shape, a, b, c) => (suits(shape, form) ? multiply(engine, form, shape, a, b, c) : gemmBits(shape, a, b, c));
}
