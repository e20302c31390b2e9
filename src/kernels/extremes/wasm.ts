/**
 * Extremes, sixteen numbers a round: pmin and pmax (one instruction each, where the strict min and max take six), and the sum of
 * v − v, which NaN and infinities turn into NaN for good. Memory is the limit.
 */
import { func } from "#kernels/assembler/assemble";
import { f32, i32 } from "#kernels/assembler/scalar";
import type { Value } from "#kernels/assembler/value";
import { f32x4, v128 } from "#kernels/assembler/vector";
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
      const lanes = [0, 1, 2, 3];
      const lows = lanes.map(() => f.local("v128"));
      const highs = lanes.map(() => f.local("v128"));
      const strange = f.local("v128");
      const v = lanes.map(() => f.local("v128"));
      const end = f.local("i32");
      const rounds = (count: number): void => {
        f.while(i32.leU(i32.add(x, 16 * count), end), () => {
          for (let j = 0; j < count; j++) f.set(v[j], v128.load(x, 16 * j));
          for (let j = 0; j < count; j++) {
            f.set(lows[j], f32x4.pmin(lows[j], v[j]));
            f.set(highs[j], f32x4.pmax(highs[j], v[j]));
            f.set(strange, f32x4.add(strange, f32x4.sub(v[j], v[j])));
          }
          f.increase(x, 16 * count);
        });
      };
      /** Of four vectors of four numbers, one number. */
      const folded = (vectors: typeof lows, fold: Fold): Value<"f32"> => {
        f.set(vectors[0], fold(fold(vectors[0], vectors[1]), fold(vectors[2], vectors[3])));
        f.set(vectors[0], fold(vectors[0], swapHalves(vectors[0])));
        f.set(vectors[0], fold(vectors[0], swapNeighbours(vectors[0])));
        // −0 + 0 is +0; 0 + NaN is NaN
        return f32.add(f32x4.extractLane(f32x4.add(vectors[0], strange), 0), 0);
      };
      f.while(runs, () => {
        for (const j of lanes) {
          f.set(lows[j], f32x4.const(Number.POSITIVE_INFINITY));
          f.set(highs[j], f32x4.const(Number.NEGATIVE_INFINITY));
        }
        f.set(strange, f32x4.const(0));
        f.set(end, i32.add(x, bytes));
        rounds(4);
        rounds(1);
        f.set(strange, f32x4.add(strange, swapHalves(strange)));
        f.set(strange, f32x4.add(strange, swapNeighbours(strange)));
        f.store.f32(low, folded(lows, f32x4.pmin));
        f.store.f32(high, folded(highs, f32x4.pmax));
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
        return merge(r, part.low[0], part.high[0]);
      }
      engine.clear();
      const at = engine.enter(numbers);
      const [lows, highs] = [engine.room(4 * runs), engine.room(4 * runs)];
      kernel.extremes(at, 4 * length, runs, lows, highs);
      for (let i = 0; i < runs; i++) merge(r + i, engine.floats[lows / 4 + i], engine.floats[highs / 4 + i]);
    });
  };
}
