/** The search for four runs at once, one in each lane; see scaleAndMin, which is done in the same way. */
import { func } from "#kernels/assembler/assemble";
import { i32 } from "#kernels/assembler/scalar";
import { f32x4, v128 } from "#kernels/assembler/vector";
import type { Engine } from "#kernels/engine";
import { forEachVector, transpose } from "#kernels/fourRuns";
import { longestRun, negligible, signedScale } from "#kernels/signedScale/reference";

const magic = 12582912;
const zero = f32x4.const(0);

const module = (top: number) => ({
  transpose: transpose(),

  /** w = x². */
  square: func({ x: "i32", w: "i32", run: "i32" }, undefined, (f, { x, w, run }) => {
    const v = f.local("v128");
    forEachVector(f, run, (offset) => {
      f.set(v, v128.load(i32.add(x, offset)));
      f.store.v128(i32.add(w, offset), f32x4.mul(v, v));
    });
  }),

  /** x, w and codes: `run` vectors each. Writes codes, and the scale of each lane to `results`. */
  search: func(
    { x: "i32", w: "i32", codes: "i32", run: "i32", grids: "i32", end: "i32", results: "i32" },
    undefined,
    (f, { x, w, codes, run, grids, end, results }) => {
      const [v, l, weight, wl] = [0, 1, 2, 3].map(() => f.local("v128"));
      const largest = f.local("v128", zero);
      forEachVector(f, run, (offset) => {
        f.set(v, v128.load(i32.add(x, offset)));
        f.set(largest, v128.bitselect(v, largest, f32x4.gt(f32x4.abs(v), f32x4.abs(largest))));
      });
      const inverse = f.local("v128");
      const round = () => {
        f.set(l, f32x4.sub(f32x4.add(f32x4.mul(inverse, v), f32x4.const(magic)), f32x4.const(magic)));
        f.set(l, f32x4.pmin(f32x4.const(top - 1), f32x4.pmax(f32x4.const(-top), l)));
      };
      const [sumLx, sumL2, scale, best, chosen, better] = Array.from({ length: 6 }, () => f.local("v128"));
      // the first grid stands whatever it is worth
      const first = f.local("v128", f32x4.eq(zero, zero));
      f.while(i32.ltU(grids, end), () => {
        f.set(inverse, f32x4.div(v128.load32Splat(grids), largest));
        f.set(sumLx, zero);
        f.set(sumL2, zero);
        forEachVector(f, run, (offset) => {
          f.set(v, v128.load(i32.add(x, offset)));
          f.set(weight, v128.load(i32.add(w, offset)));
          round();
          f.set(wl, f32x4.mul(weight, l));
          f.set(sumLx, f32x4.add(sumLx, f32x4.mul(f32x4.mul(weight, v), l)));
          f.set(sumL2, f32x4.add(sumL2, f32x4.mul(wl, l)));
        });
        f.set(better, f32x4.gt(f32x4.mul(sumLx, sumLx), f32x4.mul(best, sumL2)));
        f.set(better, v128.or(first, v128.and(better, f32x4.gt(sumL2, zero))));
        f.set(scale, v128.bitselect(v128.andnot(f32x4.div(sumLx, sumL2), f32x4.eq(sumL2, zero)), scale, better));
        f.set(best, v128.bitselect(f32x4.mul(scale, sumLx), best, better));
        f.set(chosen, v128.bitselect(inverse, chosen, better));
        f.set(first, zero);
        f.increase(grids, 4);
      });
      const flat = f.local("v128", f32x4.lt(f32x4.abs(largest), f32x4.const(negligible)));
      f.store.v128(results, v128.andnot(scale, flat));
      f.set(inverse, chosen);
      forEachVector(f, run, (offset) => {
        f.set(v, v128.load(i32.add(x, offset)));
        round();
        f.store.v128(i32.add(codes, offset), v128.andnot(f32x4.add(l, f32x4.const(top)), flat));
      });
    },
  ),
});

/** The kernel on an engine; see reference.ts. */
export function fastSignedScale(engine: Engine): typeof signedScale {
  const room = 4 * longestRun;
  const [given, x, w, found] = [0, 1, 2, 3].map(() => engine.allocate(Float32Array, room));
  const results = engine.allocate(Float32Array, 4);
  const numbers = engine.allocate(Float32Array, 32);
  return (all, from, run, top, grids, weights, weightsAt, codes, scales) => {
    if (scales.length % 4 !== 0) return signedScale(all, from, run, top, grids, weights, weightsAt, codes, scales);
    const kernel = engine.load(`signedScale ${top}`, () => module(top));
    numbers.set(grids);
    const end = numbers.byteOffset + 4 * grids.length;
    for (let index = 0; index < scales.length; index += 4) {
      const at = index * run;
      for (let i = 0; i < 4 * run; i++) given[i] = all[from + at + i];
      kernel.transpose(given.byteOffset, x.byteOffset, run);
      if (weights === undefined) kernel.square(x.byteOffset, w.byteOffset, run);
      else {
        for (let i = 0; i < 4 * run; i++) given[i] = weights[weightsAt + at + i];
        kernel.transpose(given.byteOffset, w.byteOffset, run);
      }
      const { byteOffset } = results;
      kernel.search(x.byteOffset, w.byteOffset, found.byteOffset, run, numbers.byteOffset, end, byteOffset);
      for (let lane = 0; lane < 4; lane++) {
        for (let i = 0; i < run; i++) codes[at + lane * run + i] = found[4 * i + lane];
        scales[index + lane] = results[lane];
      }
    }
  };
}
