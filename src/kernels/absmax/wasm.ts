/** Greatest magnitudes. Without their sign bit, floats are ordered as whole numbers are, with infinity and NaN above all others. */
import { func } from "#kernels/assembler/assemble";
import { f32, i32 } from "#kernels/assembler/scalar";
import { f32x4, i32x4, v128 } from "#kernels/assembler/vector";
import { absmax } from "#kernels/absmax/reference";
import type { Engine } from "#kernels/engine";
import { foldLanes } from "#kernels/lanes";
import { forEachPiece } from "#kernels/pieces";
import { at, forEachStep } from "#kernels/steps";

/** For `runs` runs of `run` numbers, at least 16. */
const module = () => ({
  absmax: func({ x: "i32", run: "i32", runs: "i32", out: "i32" }, undefined, (f, { x, run, runs, out }) => {
    const most = [0, 1, 2, 3].map(() => f.local("v128"));
    const magnitude = f.local("v128", i32x4.const(0x7fffffff));
    const from = f.local("i32");
    f.while(runs, () => {
      for (const vector of most) f.set(vector, i32x4.const(0));
      forEachStep(f, run, 16, (index) => {
        f.set(from, at(x, index, 4));
        most.forEach((m, j) => f.set(m, i32x4.maxS(m, v128.and(v128.load(from, 16 * j), magnitude))));
      });
      foldLanes(f, most, i32x4.maxS);
      const strange = i32.gtU(i32x4.extractLane(most[0], 0), 0x7f7fffff);
      f.store.f32(out, f32.select(Number.NaN, f32x4.extractLane(most[0], 0), strange));
      f.increase(out, 4);
      f.set(x, at(x, run, 4));
      f.increase(runs, -1);
    });
  }),
});

/** The kernel on an engine; see reference.ts. */
export function fastAbsmax(engine: Engine): typeof absmax {
  return (x, run, out) => {
    const kernel = engine.load("absmax", module);
    out.fill(0);
    forEachPiece({ runs: out.length, run, tile: engine.tile(x), least: 16 }, (r, runs, first, length, enough) => {
      const numbers = x.subarray(first, first + runs * length);
      engine.clear();
      const most = engine.roomFor(Float32Array, runs);
      if (enough) kernel.absmax(engine.enter(numbers), length, runs, most.byteOffset);
      else absmax(numbers, length, most);
      for (let i = 0; i < runs; i++) out[r + i] = Math.max(out[r + i], most[i]);
    });
  };
}
