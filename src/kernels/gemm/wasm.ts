/**
 * One matrix product for all kinds of numbers. What is multiplied comes as words of 32 bits: a float, two numbers of 16 bits, four
 * of 8, or 32 bits. Four rows of A meet eight of B: a word of A stands in all lanes of a vector, a vector of B holds one word of four
 * rows, and `step` adds their product to a sum for each lane. Only `step` and `finish` differ between the kinds.
 *
 * Eight sums, two vectors of B and one of A are as many registers as V8 has for them, and the loop is not unrolled, because V8
 * before version 13 would move loads ahead and spill.
 */
import { func } from "#kernels/assembler/assemble";
import type { Local } from "#kernels/assembler/func";
import { i32 } from "#kernels/assembler/scalar";
import type { Value } from "#kernels/assembler/value";
import { f32x4, i16x8, i32x4, i8x16, v128 } from "#kernels/assembler/vector";
import { at, forEachStep } from "#kernels/steps";

type Vector = Value<"v128">;

export interface GemmKind {
  readonly name: string;
  /** sum + a·b. */
  step(sum: Vector, a: Vector, b: Vector): Vector;
  /** c + what the sum came to. */
  finish(c: Vector, sum: Vector): Vector;
  /** Words that a sum holds at most. */
  readonly words: number;
}

/** Rows of A and of B that meet. */
export const rowsOfA = 4;
export const rowsOfB = 8;

export const kinds = {
  float32: {
    name: "float32",
    step: (sum, a, b) => f32x4.add(sum, f32x4.mul(a, b)),
    finish: f32x4.add,
    words: 256,
  },
  float32Fused: {
    name: "float32 fused",
    step: (sum, a, b) => f32x4.relaxedMadd(a, b, sum),
    finish: f32x4.add,
    words: 256,
  },
  int16: {
    name: "int16",
    step: (sum, a, b) => i32x4.add(sum, i32x4.dotI16x8S(a, b)),
    finish: i32x4.add,
    words: 256,
  },
  int8x7: {
    name: "int8 by int7",
    step: (sum, a, b) => i32x4.relaxedDotI8x16I7x16AddS(a, b, sum),
    finish: i32x4.add,
    words: 256,
  },
  bits: {
    name: "bits",
    step: (sum, a, b) => i8x16.add(sum, i8x16.popcnt(v128.xor(a, b))),
    finish: (c, sum) => i32x4.add(c, i32x4.extaddPairwiseI16x8U(i16x8.extaddPairwiseI8x16U(sum))),
    // a byte of a sum grows by 8 a word: 31 words fit
    words: 16,
  },
} as const satisfies Readonly<Record<string, GemmKind>>;

export const gemmModule = (kind: GemmKind) => () => ({
  /** Four rows of `words` words, `stride` bytes apart → words of the four beside one another, each four `step` bytes after the last. */
  interleave: func(
    { rows: "i32", stride: "i32", words: "i32", to: "i32", step: "i32" },
    undefined,
    (f, { rows, stride, words, to, step }) => {
      const [a, b, c, d] = [0, 1, 2, 3].map(() => f.local("v128"));
      const [low, high] = [f.local("v128"), f.local("v128")];
      const row = f.local("i32");
      // words of two vectors in turns: a0 b0 a1 b1, and a2 b2 a3 b3
      const lows = (x: Vector, y: Vector) =>
        i8x16.shuffle(x, y, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
      const highs = (x: Vector, y: Vector) =>
        i8x16.shuffle(x, y, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
      const firstHalves = (x: Vector, y: Vector) =>
        i8x16.shuffle(x, y, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
      const lastHalves = (x: Vector, y: Vector) =>
        i8x16.shuffle(x, y, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
      f.while(words, () => {
        f.set(row, rows);
        for (const vector of [a, b, c, d]) {
          f.set(vector, v128.load(row));
          f.increase(row, stride);
        }
        for (const pick of [lows, highs]) {
          f.set(low, pick(a, b));
          f.set(high, pick(c, d));
          for (const half of [firstHalves, lastHalves]) {
            f.store.v128(to, half(low, high));
            f.increase(to, step);
          }
        }
        f.increase(rows, 16);
        f.increase(words, -4);
      });
    },
  ),
  /** `count` signed bytes, at least 16, as numbers of 16 bits. */
  widen: func({ from: "i32", count: "i32", to: "i32" }, undefined, (f, { from, count, to }) => {
    const bytes = f.local("v128");
    forEachStep(f, count, 16, (index) => {
      f.set(bytes, v128.load(at(from, index, 1)));
      f.store.v128(at(to, index, 2), i16x8.extendLowI8x16S(bytes));
      f.store.v128(at(to, index, 2), i16x8.extendHighI8x16S(bytes), 16);
    });
  }),
  /** Adds to C, `stride` bytes a row, the product of panels of A and of B that are `words` words long. */
  multiply: func(
    { a: "i32", panelsOfA: "i32", b: "i32", panelsOfB: "i32", words: "i32", c: "i32", stride: "i32" },
    undefined,
    (f, { a, panelsOfA, b, panelsOfB, words, c, stride }) => {
      const sums = Array.from({ length: rowsOfA }, () => [f.local("v128"), f.local("v128")]);
      const pair = [f.local("v128"), f.local("v128")];
      const word = f.local("v128");
      const [nextA, nextB, panel, end, left, row, first] = Array.from({ length: 7 }, () => f.local("i32"));
      const eachSum = (visit: (sum: Local<"v128">, r: number, j: number) => void): void =>
        sums.forEach((both, r) => both.forEach((sum, j) => visit(sum, r, j)));
      f.while(panelsOfB, () => {
        f.set(nextA, a);
        f.set(panel, panelsOfA);
        f.set(first, c);
        f.while(panel, () => {
          f.set(nextB, b);
          f.set(left, words);
          f.while(left, () => {
            f.set(end, i32.select(left, kind.words, i32.ltU(left, kind.words)));
            f.set(left, i32.sub(left, end));
            f.set(end, i32.add(nextA, i32.shl(end, 4)));
            eachSum((sum) => f.set(sum, i32x4.const(0)));
            f.doWhile(i32.ltU(nextA, end), () => {
              pair.forEach((four, j) => f.set(four, v128.load(nextB, 16 * j)));
              sums.forEach((both, r) => {
                f.set(word, v128.load32Splat(nextA, 4 * r));
                both.forEach((sum, j) => f.set(sum, kind.step(sum, word, pair[j])));
              });
              f.increase(nextA, 4 * rowsOfA);
              f.increase(nextB, 4 * rowsOfB);
            });
            f.set(row, first);
            eachSum((sum, _, j) => {
              f.store.v128(row, kind.finish(v128.load(row, 16 * j), sum), 16 * j);
              if (j === 1) f.increase(row, stride);
            });
          });
          f.set(first, row);
          f.increase(panel, -1);
        });
        f.increase(b, i32.shl(words, 5));
        f.increase(c, 4 * rowsOfB);
        f.increase(panelsOfB, -1);
      });
    },
  ),
});
