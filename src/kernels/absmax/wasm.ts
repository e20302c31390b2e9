/** Greatest magnitudes. Without their sign bit, floats are ordered as whole numbers are, with infinity and NaN above all others. */
import { func } from "#kernels/assembler/assemble";
import { f32, i32 } from "#kernels/assembler/scalar";
import { f32x4, i32x4, v128 } from "#kernels/assembler/vector";
import { absmax } from "#kernels/absmax/reference";
import type { Engine } from "#kernels/engine";
import { swapHalves, swapNeighbours } from "#kernels/lanes";
import { forEachPiece } from "#kernels/pieces";

/** For `runs` runs of `bytes` bytes, a multiple of 16. */
const module = () => ({
  absmax: func({ x: "i32", bytes: "i32", runs: "i32", out: "i32" }, undefined, (f, { x, bytes, runs, out }) => {
    const most = [0, 1, 2, 3].map(() => f.local("v128"));
    const magnitude = f.local("v128", i32x4.const(0x7fffffff));
    const end = f.local("i32");
    const bits = f.local("i32");
    const rounds = (count: number): void => {
      f.while(i32.leU(i32.add(x, 16 * count), end), () => {
        for (let j = 0; j < count; j++) f.set(most[j], i32x4.maxS(most[j], v128.and(v128.load(x, 16 * j), magnitude)));
        f.increase(x, 16 * count);
      });
    };
    f.while(runs, () => {
      for (const m of most) f.set(m, i32x4.const(0));
      f.set(end, i32.add(x, bytes));
      rounds(4);
      rounds(1);
      f.set(most[0], i32x4.maxS(i32x4.maxS(most[0], most[1]), i32x4.maxS(most[2], most[3])));
      f.set(most[0], i32x4.maxS(most[0], swapHalves(most[0])));
      f.set(most[0], i32x4.maxS(most[0], swapNeighbours(most[0])));
      f.set(bits, i32x4.extractLane(most[0], 0));
      f.store.f32(out, f32.select(Number.NaN, f32x4.extractLane(most[0], 0), i32.gtU(bits, 0x7f7fffff)));
      f.increase(out, 4);
      f.increase(runs, -1);
    });
  }),
});

/** The kernel on an engine; see reference.ts. */
export function fastAbsmax(engine: Engine): typeof absmax {
  const part = new Float32Array(1);
  return (x, run, out) => {
    const kernel = engine.load("absmax", module);
    out.fill(0);
    forEachPiece({ runs: out.length, run, tile: engine.tile(x), step: 4 }, (r, runs, first, length, whole) => {
      const numbers = x.subarray(first, first + runs * length);
      if (!whole) {
        absmax(numbers, length, part);
        out[r] = Math.max(out[r], part[0]);
        return;
      }
      engine.clear();
      const at = engine.enter(numbers);
      const results = engine.room(4 * runs);
      kernel.absmax(at, 4 * length, runs, results);
      for (let i = 0; i < runs; i++) out[r + i] = Math.max(out[r + i], engine.floats[results / 4 + i]);
    });
  };
}
