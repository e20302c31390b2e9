/** What kernels share that make blocks of 32 numbers with a float16 scale before their codes: Q4_0, Q8_0. */
import type { FunctionBody, Local } from "#kernels/assembler/func";
import { f32 } from "#kernels/assembler/scalar";
import type { Value } from "#kernels/assembler/value";
import { f32x4, v128 } from "#kernels/assembler/vector";
import type { Engine } from "#kernels/engine";
import { float16Code } from "#math/float16";

/** Numbers that a kernel takes at once. */
const tile = 16384;

/** Eight vectors of a block's numbers, to be read where `read` is called. */
export interface Block {
  readonly vectors: readonly Local<"v128">[];
  readonly read: (from: Local<"i32">) => void;
}

export function blockOf32(f: FunctionBody): Block {
  const vectors = Array.from({ length: 8 }, () => f.local("v128"));
  return { vectors, read: (from) => vectors.forEach((v, k) => f.set(v, v128.load(from, 16 * k))) };
}

/** What all vectors fold to, lane by lane. */
export function folded(
  vectors: readonly Value<"v128">[],
  fold: (a: Value<"v128">, b: Value<"v128">) => Value<"v128">,
): Value<"v128"> {
  return vectors.reduce((a, b) => fold(a, b));
}

/** 1/d; 0 for 0. */
export function inverseOf(d: Value<"f32">): Value<"f32"> {
  return f32.select(0, f32.div(1, d), f32.eq(d, 0));
}

/** All ones where the number is finite, else all zeros: x/d is no number for the smallest d, and the codes are 0. */
export function whereFinite(x: Local<"f32">): Value<"v128"> {
  return f32x4.eq(f32x4.splat(f32.sub(x, x)), f32x4.const(0));
}

/**
 * Runs a kernel over all blocks, tile by tile: (x, end, out, d) are addresses; it leaves two bytes free at the start of each block and
 * writes the block's scale as float32 to d, d + 4, ….
 */
export function onTiles(
  engine: Engine,
  bytes: number,
  x: Float32Array,
  out: Uint8Array,
  kernel: (x: number, end: number, out: number, d: number) => void,
): void {
  for (let first = 0; first < x.length; first += tile) {
    const numbers = x.subarray(first, first + tile);
    const blocks = numbers.length / 32;
    engine.clear();
    const [from, made] = [engine.enter(numbers), engine.roomFor(Uint8Array, blocks * bytes)];
    const scales = engine.roomFor(Float32Array, blocks);
    kernel(from, from + numbers.byteLength, made.byteOffset, scales.byteOffset);
    for (let b = 0, to = 0; b < blocks; b++, to += bytes) {
      const code = float16Code(scales[b]);
      made[to] = code;
      made[to + 1] = code >>> 8;
    }
    out.set(made, (first / 32) * bytes);
  }
}
