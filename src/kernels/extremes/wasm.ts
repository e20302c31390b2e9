/**
 * Extremes, sixteen numbers a round: pmin and pmax (one instruction each, where the strict min and max take six). NaN and infinities
 * show in the greatest magnitude, kept as a whole number: these instructions find room beside those on floats.
 */
import { func } from "#kernels/assembler/assemble";
import { f32, i32 } from "#kernels/assembler/scalar";
import type { Value } from "#kernels/assembler/value";
import { f32x4, i32x4, v128 } from "#kernels/assembler/vector";
import type { Engine } from "#kernels/engine";
import { extremes } from "#kernels/extremes/reference";
import { foldLanes } from "#kernels/lanes";
import { forEachPiece } from "#kernels/pieces";
import { at, forEachStep } from "#kernels/steps";

/** For `runs` runs of `run` numbers, at least 16. */
const module = () => ({
  extremes: func(
    { x: "i32", run: "i32", runs: "i32", low: "i32", high: "i32" },
    undefined,
    (f, { x, run, runs, low, high }) => {
      // two of each: with four, V8 of Node 20 runs out of registers and is three times slower
      const lows = [f.local("v128"), f.local("v128")];
      const highs = [f.local("v128"), f.local("v128")];
      const most = [f.local("v128"), f.local("v128")];
      const v = f.local("v128");
      const magnitude = f.local("v128", i32x4.const(0x7fffffff));
      const from = f.local("i32");
      const strange = f.local("i32");
      f.while(runs, () => {
        for (const vector of lows) f.set(vector, f32x4.const(Number.POSITIVE_INFINITY));
        for (const vector of highs) f.set(vector, f32x4.const(Number.NEGATIVE_INFINITY));
        for (const vector of most) f.set(vector, i32x4.const(0));
        forEachStep(f, run, 16, (index) => {
          f.set(from, at(x, index, 4));
          for (const j of [0, 1, 2, 3]) {
            f.set(v, v128.load(from, 16 * j));
            f.set(lows[j % 2], f32x4.pmin(lows[j % 2], v));
            f.set(highs[j % 2], f32x4.pmax(highs[j % 2], v));
            f.set(most[j % 2], i32x4.maxS(most[j % 2], v128.and(v, magnitude)));
          }
        });
        foldLanes(f, lows, f32x4.pmin);
        foldLanes(f, highs, f32x4.pmax);
        foldLanes(f, most, i32x4.maxS);
        f.set(strange, i32.gtU(i32x4.extractLane(most[0], 0), 0x7f7fffff));
        const result = ([vector]: typeof lows): Value<"f32"> =>
          // −0 + 0 is +0
          f32.select(Number.NaN, f32.add(f32x4.extractLane(vector, 0), 0), strange);
        f.store.f32(low, result(lows));
        f.store.f32(high, result(highs));
        f.increase(low, 4);
        f.increase(high, 4);
        f.set(x, at(x, run, 4));
        f.increase(runs, -1);
      });
    },
  ),
  /**
   * Of each of `columns` columns of `rows` rows, at least 8. Tells whether NaN or an infinity is among them.
   */
  columns: func(
    { x: "i32", columns: "i32", rows: "i32", low: "i32", high: "i32" },
    "i32",
    (f, { x, columns, rows, low, high }) => {
      const halves = [0, 1].map(() => ({ low: f.local("v128"), high: f.local("v128"), most: f.local("v128") }));
      const v = f.local("v128");
      const magnitude = f.local("v128", i32x4.const(0x7fffffff));
      const [from, row] = [f.local("i32"), f.local("i32")];
      forEachStep(f, columns, 8, (index) => {
        for (const half of halves) {
          f.set(half.low, f32x4.const(Number.POSITIVE_INFINITY));
          f.set(half.high, f32x4.const(Number.NEGATIVE_INFINITY));
        }
        f.set(from, at(x, index, 4));
        f.set(row, rows);
        f.while(row, () => {
          halves.forEach((half, j) => {
            f.set(v, v128.load(from, 16 * j));
            f.set(half.low, f32x4.pmin(half.low, v));
            f.set(half.high, f32x4.pmax(half.high, v));
            f.set(half.most, i32x4.maxS(half.most, v128.and(v, magnitude)));
          });
          f.set(from, at(from, columns, 4));
          f.increase(row, -1);
        });
        halves.forEach((half, j) => {
          f.store.v128(at(low, index, 4), f32x4.add(half.low, f32x4.const(0)), 16 * j);
          f.store.v128(at(high, index, 4), f32x4.add(half.high, f32x4.const(0)), 16 * j);
        });
      });
      return v128.anyTrue(i32x4.gtS(i32x4.maxS(halves[0].most, halves[1].most), i32x4.const(0x7f7fffff)));
    },
  ),
});

/** Columns that are walked down stay in the cache. */
const largestTile = 65536;

/** The kernel on an engine; see reference.ts. */
export function fastExtremes(engine: Engine): typeof extremes {
  return (x, run, low, high) => {
    const count = low.length;
    const columns = run === 1;
    if (x.length === 0 || x.length % (run * count) !== 0 || (columns ? count : run) < (columns ? 8 : 16))
      return extremes(x, run, low, high);
    const kernel = engine.load("extremes", module);
    low.fill(Number.POSITIVE_INFINITY);
    high.fill(Number.NEGATIVE_INFINITY);
    /** `lines` lines of `length` numbers from number `first` on; lines are rows or runs. */
    const piece = (first: number, lines: number, length: number, parameter: number, enough: boolean): void => {
      const numbers = x.subarray(first, first + lines * length);
      const found = columns ? length : lines;
      engine.clear();
      const [lows, highs] = [engine.roomFor(Float32Array, found), engine.roomFor(Float32Array, found)];
      if (!enough) extremes(numbers, columns ? 1 : length, lows, highs);
      else if (!columns) kernel.extremes(engine.enter(numbers), length, lines, lows.byteOffset, highs.byteOffset);
      else if (kernel.columns(engine.enter(numbers), length, lines, lows.byteOffset, highs.byteOffset) !== 0)
        extremes(numbers, 1, lows, highs);
      for (let i = 0, to = parameter; i < found; i++, to++) {
        low[to] = Math.min(low[to], lows[i]) + 0;
        high[to] = Math.max(high[to], highs[i]) + 0;
      }
    };
    if (columns) {
      const rows = { runs: x.length / count, run: count, tile: largestTile, least: 8 };
      forEachPiece(rows, (_, lines, first, length, enough) => piece(first, lines, length, first % count, enough));
    } else {
      const tile = engine.tile(x);
      for (let cycle = 0; cycle < x.length; cycle += run * count)
        forEachPiece({ runs: count, run, tile, least: 16 }, (r, lines, first, length, enough) =>
          piece(cycle + first, lines, length, r, enough),
        );
    }
  };
}
