/**
 * A stretch of bytes as runs of symbols. What kind of numbers the bytes are, an encoder finds out by trying: codes of 1 to 8 bits
 * without gaps, or words of 2 or 4 bytes, whose first bytes have their own statistics, and so on (as floats do: exponents repeat,
 * mantissas do not).
 */
import type { Cursor } from "#formats/lbz/cursor";
import { type Coder, decodeSymbols, encodeSymbols } from "#formats/lbz/symbols";
import { packBits, unpackBits } from "#math/packing";

/** Bytes of a chunk at the most: divisible by the bits of every width, so that symbols do not straddle chunks. */
export const chunkBytes = 840 * 1248;

/** How bytes are read as symbols. */
export interface Layout {
  /** Bits of a symbol. */
  readonly width: number;
  /** Bytes of a word; more than 1 only for symbols of 8 bits. */
  readonly planes: number;
}

const layouts: readonly Layout[] = [
  ...[8, 7, 6, 5, 4, 3, 2, 1].map((width) => ({ width, planes: 1 })),
  ...[2, 4].map((planes) => ({ width: 8, planes })),
];

/** Bytes looked at to find a layout. */
const sampleBytes = 64 * 1024 - ((64 * 1024) % 840);

/** The layout in which the beginning of these bytes has the least entropy; plain bytes unless another one is better by 1 %. */
export function bestLayout(bytes: Uint8Array): Layout {
  const sample = bytes.subarray(0, sampleBytes);
  let best = layouts[0];
  let least = Number.POSITIVE_INFINITY;
  for (const layout of layouts) {
    const bits = runsOf(sample, layout).reduce((sum, run) => sum + entropyBits(run, layout.width), 0);
    if (bits < least * 0.99) {
      best = layout;
      least = bits;
    }
  }
  return best;
}

export function encodeChunk(bytes: Uint8Array, layout: Layout, allowed?: readonly Coder[]): Uint8Array[] {
  return runsOf(bytes, layout).map((run) => encodeSymbols(run, layout.width, allowed));
}

/** `length` bytes. Throws lbz/malformed. */
export function decodeChunk(cursor: Cursor, { width, planes }: Layout, length: number): Uint8Array {
  if (planes === 1) {
    const packed = packBits(decodeSymbols(cursor, width, Math.ceil((length * 8) / width)), width);
    return packed.subarray(0, length);
  }
  const out = new Uint8Array(length);
  for (let plane = 0; plane < planes; plane++) {
    const count = Math.ceil((length - plane) / planes);
    const run = decodeSymbols(cursor, width, Math.max(0, count));
    for (let i = 0, at = plane; i < run.length; i++, at += planes) out[at] = run[i];
  }
  return out;
}

function runsOf(bytes: Uint8Array, { width, planes }: Layout): Uint8Array[] {
  if (planes > 1)
    return Array.from({ length: planes }, (_, plane) => {
      const run = new Uint8Array(Math.max(0, Math.ceil((bytes.length - plane) / planes)));
      for (let i = 0, at = plane; i < run.length; i++, at += planes) run[i] = bytes[at];
      return run;
    });
  if (width === 8) return [bytes];
  // the last symbol's missing bits are zeros, which decoding cuts off
  const whole = new Uint8Array(bytes.length + 1);
  whole.set(bytes);
  return [unpackBits(whole, width, Math.ceil((bytes.length * 8) / width)) as Uint8Array];
}

/** Shannon's bound for a run's symbols, each drawn alone. */
function entropyBits(run: Uint8Array, width: number): number {
  const counts = new Float64Array(2 ** width);
  for (const symbol of run) counts[symbol]++;
  let bits = 0;
  for (const count of counts) if (count > 0) bits += count * Math.log2(run.length / count);
  return bits;
}
