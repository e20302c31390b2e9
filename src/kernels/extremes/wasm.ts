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
});

/** The kernel on an engine; see reference.ts. */
export function fastExtremes(engine: Engine): typeof extremes {
  return (x, run, low, high) => {
    const kernel = engine.load("extremes", module);
    low.fill(Number.POSITIVE_INFINITY);
    high.fill(Number.NEGATIVE_INFINITY);
    const merge = (r: number, lo: number, hi: number): void => {
      low[r] = Math.min(low[r], lo) + 0;
      high[r] = Math.max(high[r], hi) + 0;
    };
    forEachPiece({ runs: low.length, run, tile: engine.tile(x), least: 16 }, (r, runs, first, length, enough) => {
      const numbers = x.subarray(first, first + runs * length);
      engine.clear();
      const [lows, highs] = [engine.roomFor(Float32Array, runs), engine.roomFor(Float32Array, runs)];
      if (enough) kernel.extremes(engine.enter(numbers), length, runs, lows.byteOffset, highs.byteOffset);
      else extremes(numbers, length, lows, highs);
      for (let i = 0; i < runs; i++) merge(r + i, lows[i], highs[i]);
    });
  };
}
