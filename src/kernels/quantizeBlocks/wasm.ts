/**
 * Blocks on vectors, in three passes over a tile, each short enough that processors work on several blocks at once: ranges,
 * what follows from them (four blocks in a vector), codes.
 *
 * Where a block's values are neighbours, a vector holds four of them; where columns are neighbours, it holds one value of each of
 * four columns, and the codes of a column grow together in 32 bits.
 *
 * What float32 cannot hold on the way (NaN, infinite spans, inverses of subnormal scales) is only noticed here: a function then
 * returns other than 0, and the reference does that region again.
 */
import { func } from "#kernels/assembler/assemble";
import type { FunctionBody, Local } from "#kernels/assembler/func";
import { i32 } from "#kernels/assembler/scalar";
import type { Value } from "#kernels/assembler/value";
import { f32x4, i32x4, v128 } from "#kernels/assembler/vector";
import { foldLanes } from "#kernels/lanes";
import { packSixteen } from "#kernels/packCodes/pack";
import { at, forEachStep } from "#kernels/steps";

type Vector = Value<"v128">;

export interface BlockForm {
  readonly bits: 2 | 4 | 8;
  readonly symmetric: boolean;
  readonly relaxed: boolean;
}

/** The float32 before 0.5: v + this, cut to a whole number, is v with halves rounded up, for −1 < v < 2²². */
const almostHalf = 0.49999997;

/** Columns that are worked on together. */
export const columnsAtOnce = 8;

export const blocksModule = (form: BlockForm) => () => ({
  /** Least and greatest values of `blocks` blocks of `size` neighbours. */
  ranges: func(
    { w: "i32", size: "i32", blocks: "i32", lows: "i32", highs: "i32" },
    "i32",
    (f, { w, size, blocks, lows, highs }) => {
      const ways = [new Range(f), new Range(f)];
      const from = f.local("i32");
      f.while(blocks, () => {
        for (const way of ways) way.start(v128.load(w));
        forEachStep(f, size, 16, (index) => {
          f.set(from, at(w, index, 4));
          for (const j of [0, 1, 2, 3]) ways[j % 2].add(v128.load(from, 16 * j));
        });
        const [low, high] = [ways.map((way) => way.low), ways.map((way) => way.high)];
        foldLanes(f, low, f32x4.pmin);
        foldLanes(f, high, f32x4.pmax);
        f.store.lane32(lows, low[0], 0);
        f.store.lane32(highs, high[0], 0);
        f.set(w, at(w, size, 4));
        f.increase(lows, 4);
        f.increase(highs, 4);
        f.increase(blocks, -1);
      });
      return v128.anyTrue(v128.or(ways[0].strange(), ways[1].strange()));
    },
  ),
  /** The same for a block of each of `columns` neighbours: `size` rows, `stride` bytes apart. */
  columnRanges: func(
    { w: "i32", stride: "i32", size: "i32", columns: "i32", lows: "i32", highs: "i32" },
    "i32",
    (f, { w, stride, size, columns, lows, highs }) => {
      const ways = [new Range(f), new Range(f)];
      const [from, row] = [f.local("i32"), f.local("i32")];
      forEachStep(f, columns, columnsAtOnce, (index) => {
        f.set(from, at(w, index, 4));
        ways.forEach((way, j) => way.start(v128.load(from, 16 * j)));
        f.set(row, i32.sub(size, 1));
        f.doWhile(row, () => {
          f.increase(from, stride);
          ways.forEach((way, j) => way.add(v128.load(from, 16 * j)));
          f.increase(row, -1);
        });
        ways.forEach((way, j) => {
          f.store.v128(at(lows, index, 4), way.low, 16 * j);
          f.store.v128(at(highs, index, 4), way.high, 16 * j);
        });
      });
      return v128.anyTrue(v128.or(ways[0].strange(), ways[1].strange()));
    },
  ),
  parameters: parameters(form),
  /** Codes of `blocks` blocks of `size` neighbours. */
  codes: func(
    { w: "i32", size: "i32", blocks: "i32", inverses: "i32", zeros: "i32", codes: "i32" },
    undefined,
    (f, { w, size, blocks, inverses, zeros, codes }) => {
      const { bits } = form;
      const [inverse, zero, half, packed] = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")];
      const from = f.local("i32");
      const keep = (v: Vector): Vector => {
        f.set(packed, v);
        return packed;
      };
      f.set(half, f32x4.const(almostHalf));
      f.while(blocks, () => {
        f.set(inverse, v128.load32Splat(inverses));
        f.set(zero, v128.load32Splat(zeros));
        forEachStep(f, size, 16, (index) => {
          f.set(from, at(w, index, 4));
          const sixteen = [0, 1, 2, 3].map((j) => code(form, v128.load(from, 16 * j), inverse, zero, half));
          keep(packSixteen(bits, sixteen, keep));
          if (bits === 8) f.store.v128(codes, packed);
          else if (bits === 4) f.store.lane64(codes, packed, 0);
          else f.store.lane32(codes, packed, 0);
          f.increase(codes, 2 * bits);
        });
        f.set(w, at(w, size, 4));
        f.increase(inverses, 4);
        f.increase(zeros, 4);
        f.increase(blocks, -1);
      });
    },
  ),
  /** Codes of a block of each of `columns` neighbours; those of one column are `codeStride` bytes from the next one's. */
  columnCodes: func(
    {
      w: "i32",
      stride: "i32",
      size: "i32",
      columns: "i32",
      inverses: "i32",
      zeros: "i32",
      codes: "i32",
      codeStride: "i32",
    },
    undefined,
    (f, { w, stride, size, columns, inverses, zeros, codes, codeStride }) => {
      const { bits } = form;
      const [half, top, none] = [f.local("v128"), f.local("v128"), f.local("v128")];
      const [from, row, to, column] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
      const fours = [0, 1].map(() => ({ inverse: f.local("v128"), zero: f.local("v128"), word: f.local("v128") }));
      f.set(half, f32x4.const(almostHalf));
      f.set(top, i32x4.const(2 ** bits - 1));
      forEachStep(f, columns, columnsAtOnce, (index) => {
        f.set(from, at(w, index, 4));
        f.set(to, i32.add(codes, i32.mul(index, codeStride)));
        fours.forEach(({ inverse, zero }, j) => {
          f.set(inverse, v128.load(at(inverses, index, 4), 16 * j));
          f.set(zero, v128.load(at(zeros, index, 4), 16 * j));
        });
        f.set(row, i32.divU(size, 32 / bits));
        f.doWhile(row, () => {
          for (let i = 0; i < 32 / bits; i++) {
            fours.forEach(({ inverse, zero, word }, j) => {
              const wide = code(form, v128.load(from, 16 * j), inverse, zero, half);
              const clamped = i32x4.maxS(i32x4.minS(wide, top), none);
              f.set(word, i === 0 ? clamped : v128.or(word, i32x4.shl(clamped, bits * i)));
            });
            f.increase(from, stride);
          }
          f.set(column, to);
          for (const { word } of fours)
            for (const lane of [0, 1, 2, 3]) {
              f.store.lane32(column, word, lane);
              f.increase(column, codeStride);
            }
          f.increase(to, 4);
          f.increase(row, -1);
        });
      });
    },
  ),
});

/** A range that grows: values come with `add`, the first ones of a block with `start`. */
class Range {
  readonly low: Local<"v128">;
  readonly high: Local<"v128">;
  /** Of all blocks. */
  readonly #magnitude: Local<"v128">;
  readonly #f: FunctionBody;
  readonly #v: Local<"v128">;
  readonly #withoutSign: Local<"v128">;

  constructor(f: FunctionBody) {
    this.#f = f;
    [this.low, this.high, this.#magnitude] = [f.local("v128"), f.local("v128"), f.local("v128")];
    [this.#v, this.#withoutSign] = [f.local("v128"), f.local("v128", i32x4.const(0x7fffffff))];
  }

  start(v: Vector): void {
    const f = this.#f;
    f.set(this.low, v);
    f.set(this.high, this.low);
    this.#grow(this.low);
  }

  add(v: Vector): void {
    const f = this.#f;
    f.set(this.#v, v);
    f.set(this.low, f32x4.pmin(this.low, this.#v));
    f.set(this.high, f32x4.pmax(this.high, this.#v));
    this.#grow(this.#v);
  }

  /** All ones in lanes where a value was NaN or infinite. */
  strange(): Vector {
    return i32x4.gtS(this.#magnitude, i32x4.const(0x7f7fffff));
  }

  /** Without their sign bits, floats are ordered as whole numbers are, NaN last. */
  #grow(v: Local<"v128">): void {
    this.#f.set(this.#magnitude, i32x4.maxS(this.#magnitude, v128.and(v, this.#withoutSign)));
  }
}

/** Scales, their inverses and zero points (as floats) of blocks, four at a time; `blocks` is at least 4. */
function parameters({ bits, symmetric, relaxed }: BlockForm) {
  const top = 2 ** bits - 1;
  const middle = 2 ** (bits - 1);
  return func(
    { lows: "i32", highs: "i32", blocks: "i32", scales: "i32", inverses: "i32", zeros: "i32" },
    "i32",
    (f, { lows, highs, blocks, scales, inverses, zeros }) => {
      const [low, high, scale, inverse] = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")];
      const [zero, strange, isZero] = [f.local("v128"), f.local("v128"), f.local("v128")];
      const none = f32x4.const(0);
      const infinite = (v: Vector): Vector => f32x4.eq(f32x4.abs(v), f32x4.const(Number.POSITIVE_INFINITY));
      forEachStep(f, blocks, 4, (index) => {
        f.set(low, v128.load(at(lows, index, 4)));
        f.set(high, v128.load(at(highs, index, 4)));
        if (symmetric) {
          const extreme = v128.bitselect(high, low, f32x4.gt(f32x4.abs(high), f32x4.abs(low)));
          f.set(scale, f32x4.div(extreme, f32x4.const(-middle)));
        } else {
          f.set(low, f32x4.pmin(low, none));
          f.set(high, f32x4.pmax(high, none));
          f.set(scale, f32x4.div(f32x4.sub(high, low), f32x4.const(top)));
        }
        f.set(isZero, f32x4.eq(scale, none));
        if (symmetric) f.set(zero, f32x4.const(middle));
        else {
          const away = f32x4.add(f32x4.sub(none, f32x4.div(low, scale)), f32x4.const(almostHalf));
          const whole = i32x4.minS(truncated(away, relaxed), i32x4.const(top));
          // 0/0 where there is no range
          f.set(zero, v128.andnot(f32x4.convertI32x4S(whole), isZero));
        }
        f.set(inverse, v128.andnot(f32x4.div(f32x4.const(1), scale), isZero));
        f.set(strange, v128.or(strange, v128.or(infinite(scale), infinite(inverse))));
        f.store.v128(at(scales, index, 4), scale);
        f.store.v128(at(inverses, index, 4), inverse);
        f.store.v128(at(zeros, index, 4), zero);
      });
      return v128.anyTrue(strange);
    },
  );
}

/** Codes in 32 bits, not yet clamped: a range reaches at most one step beyond them. */
function code({ relaxed }: BlockForm, w: Vector, inverse: Vector, zero: Vector, half: Vector): Vector {
  return truncated(f32x4.add(f32x4.add(f32x4.mul(w, inverse), zero), half), relaxed);
}

/** The whole part, of numbers within 32 bits. */
function truncated(v: Vector, relaxed: boolean): Vector {
  return relaxed ? i32x4.relaxedTruncF32x4S(v) : i32x4.truncSatF32x4S(v);
}
