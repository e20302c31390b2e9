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
import { swapHalves, swapNeighbours } from "#kernels/lanes";
import { forEachPiece } from "#kernels/pieces";

type Fold = (a: Value<"v128">, b: Value<"v128">) => Value<"v128">;

/** For `runs` runs of `bytes` bytes, a multiple of 16. */
const module = () => ({
  extremes: func(
    { x: "i32", bytes: "i32", runs: "i32", low: "i32", high: "i32" },
    undefined,
    (f, { x, bytes, runs, low, high }) => {
      // two of each: with four, V8 of Node 20 runs out of registers and is three times slower
      const lows = [f.local("v128"), f.local("v128")];
      const highs = [f.local("v128"), f.local("v128")];
      const most = [f.local("v128"), f.local("v128")];
      const v = f.local("v128");
      const magnitude = f.local("v128", i32x4.const(0x7fffffff));
      const end = f.local("i32");
      const strange = f.local("i32");
      const rounds = (count: number): void => {
        f.while(i32.leU(i32.add(x, 16 * count), end), () => {
          for (let j = 0; j < count; j++) {
            f.set(v, v128.load(x, 16 * j));
            f.set(lows[j % 2], f32x4.pmin(lows[j % 2], v));
            f.set(highs[j % 2], f32x4.pmax(highs[j % 2], v));
            f.set(most[j % 2], i32x4.maxS(most[j % 2], v128.and(v, magnitude)));
          }
          f.increase(x, 16 * count);
        });
      };
      /** Of the numbers of vectors, the one that `fold` leaves: in all lanes of the first. */
      const foldInto = (vectors: typeof lows, fold: Fold): void => {
        const [first, ...others] = vectors;
        for (const other of others) f.set(first, fold(first, other));
        f.set(first, fold(first, swapHalves(first)));
        f.set(first, fold(first, swapNeighbours(first)));
      };
      f.while(runs, () => {
        for (const vector of lows) f.set(vector, f32x4.const(Number.POSITIVE_INFINITY));
        for (const vector of highs) f.set(vector, f32x4.const(Number.NEGATIVE_INFINITY));
        for (const vector of most) f.set(vector, i32x4.const(0));
        f.set(end, i32.add(x, bytes));
        rounds(4);
        rounds(1);
        foldInto(lows, f32x4.pmin);
        foldInto(highs, f32x4.pmax);
        foldInto(most, i32x4.maxS);
        f.set(strange, i32.gtU(i32x4.extractLane(most[0], 0), 0x7f7fffff));
        const result = (vectors: typeof lows): Value<"f32"> =>
          // −0 + 0 is +0
          f32.select(Number.NaN, f32.add(f32x4.extractLane(vectors[0], 0), 0), strange);
        f.store.f32(low, result(lows));
        f.store.f32(high, result(highs));
        f.increase(low, 4);
        f.increase(high, 4);
        f.increase(runs, -1);
      });
    },
  ),
});

/** The kernel on an engine; see reference.ts. */
export function fastExtremes(engine: Engine): typeof extremes {
  const part = { low: new Float32Array(1), high: new Float32Array(1) };
  return (x, run, low, high) => {
    const kernel = engine.load("extremes", module);
    low.fill(Number.POSITIVE_INFINITY);
    high.fill(Number.NEGATIVE_INFINITY);
    const merge = (r: number, lo: number, hi: number): void => {
      low[r] = Math.min(low[r], lo) + 0;
      high[r] = Math.max(high[r], hi) + 0;
    };
    forEachPiece({ runs: low.length, run, tile: engine.tile(x), step: 4 }, (r, runs, first, length, whole) => {
      const numbers = x.subarray(first, first + runs * length);
      if (!whole) {
        extremes(numbers, length, part.low, part.high);
        merge(r, part.low[0], part.high[0]);
        return;
      }
      engine.clear();
      const at = engine.enter(numbers);
      const [lows, highs] = [engine.room(4 * runs), engine.room(4 * runs)];
      kernel.extremes(at, 4 * length, runs, lows, highs);
      for (let i = 0; i < runs; i++) merge(r + i, engine.floats[lows / 4 + i], engine.floats[highs / 4 + i]);
    });
  };
}
