/**
 * The search for four runs at once, one in each lane: every lane does what the reference does, operation by operation, so results are
 * the same bits. Runs are transposed first; where lanes disagree about a step, a mask decides.
 */
import { func } from "#kernels/assembler/assemble";
import type { Local } from "#kernels/assembler/func";
import { i32 } from "#kernels/assembler/scalar";
import type { Value } from "#kernels/assembler/value";
import { f32x4, v128 } from "#kernels/assembler/vector";
import type { Engine } from "#kernels/engine";
import { forEachVector, transpose } from "#kernels/fourRuns";
import { type GridSearch, longestRun, scaleAndMin } from "#kernels/scaleAndMin/reference";

type Vector = Local<"v128">;

const magic = 12582912;
const zero = f32x4.const(0);

const module = ({ top, absolute }: GridSearch) => ({
  transpose: transpose(),

  /** x, w, codes and trial: `run` vectors each. Writes codes, and the scale and minimum of each lane to `results`. */
  search: func(
    { x: "i32", w: "i32", codes: "i32", trial: "i32", run: "i32", numerators: "i32", end: "i32", results: "i32" },
    undefined,
    (f, { x, w, codes, trial, run, numerators, end, results }) => {
      const [low, high, sumW, sumX] = [v128.load(x), v128.load(x), v128.load(w), zero].map((v) => f.local("v128", v));
      const [v, weight, l, error] = [0, 1, 2, 3].map(() => f.local("v128"));
      f.set(sumX, f32x4.mul(sumW, low));
      const next = f.local("i32", 16);
      f.doWhile(i32.ltU(next, i32.shl(run, 4)), () => {
        f.set(v, v128.load(i32.add(x, next)));
        f.set(weight, v128.load(i32.add(w, next)));
        f.set(low, f32x4.pmin(low, v));
        f.set(high, f32x4.pmax(high, v));
        f.set(sumW, f32x4.add(sumW, weight));
        f.set(sumX, f32x4.add(sumX, f32x4.mul(weight, v)));
        f.increase(next, 16);
      });
      f.set(low, f32x4.pmin(low, zero));
      const flat = f.local("v128", f32x4.eq(high, low));
      const inverse = f.local("v128", f32x4.div(f32x4.const(top), f32x4.sub(high, low)));
      const scale = f.local("v128", f32x4.div(f32x4.const(1), inverse));
      const [limit, best] = [f.local("v128"), f.local("v128", zero)];

      const setLimit = () =>
        f.set(limit, v128.andnot(f32x4.const(top), f32x4.eq(inverse, f32x4.const(Number.POSITIVE_INFINITY))));
      const round = () => {
        const product = f32x4.mul(inverse, f32x4.sub(v, low));
        f.set(l, f32x4.sub(f32x4.add(product, f32x4.const(magic)), f32x4.const(magic)));
        f.set(l, f32x4.pmin(limit, f32x4.pmax(zero, l)));
      };
      /** sum += w·|d·l + m − x|ᵖ */
      const addError = (sum: Vector, d: Vector, m: Vector, weightOf: Value<"v128">) => {
        f.set(error, f32x4.sub(f32x4.add(f32x4.mul(d, l), m), v));
        f.set(sum, f32x4.add(sum, f32x4.mul(weightOf, absolute ? f32x4.abs(error) : f32x4.mul(error, error))));
      };

      setLimit();
      forEachVector(f, run, (offset) => {
        f.set(v, v128.load(i32.add(x, offset)));
        round();
        f.store.v128(i32.add(codes, offset), l);
        addError(best, scale, low, v128.load(i32.add(w, offset)));
      });

      const [sumL, sumL2, sumXl, wl, determinant, d, m, sum, better] = Array.from({ length: 9 }, () => f.local("v128"));
      f.while(i32.ltU(numerators, end), () => {
        f.set(inverse, f32x4.div(v128.load32Splat(numerators), f32x4.sub(high, low)));
        setLimit();
        for (const total of [sumL, sumL2, sumXl, sum]) f.set(total, zero);
        forEachVector(f, run, (offset) => {
          f.set(v, v128.load(i32.add(x, offset)));
          round();
          f.store.v128(i32.add(trial, offset), l);
          f.set(wl, f32x4.mul(v128.load(i32.add(w, offset)), l));
          f.set(sumL, f32x4.add(sumL, wl));
          f.set(sumL2, f32x4.add(sumL2, f32x4.mul(wl, l)));
          f.set(sumXl, f32x4.add(sumXl, f32x4.mul(wl, v)));
        });
        f.set(determinant, f32x4.sub(f32x4.mul(sumW, sumL2), f32x4.mul(sumL, sumL)));
        f.set(d, f32x4.div(f32x4.sub(f32x4.mul(sumW, sumXl), f32x4.mul(sumX, sumL)), determinant));
        f.set(m, f32x4.div(f32x4.sub(f32x4.mul(sumL2, sumX), f32x4.mul(sumL, sumXl)), determinant));
        f.set(better, f32x4.gt(m, zero));
        f.set(d, v128.bitselect(f32x4.div(sumXl, sumL2), d, better));
        f.set(m, v128.andnot(m, better));
        forEachVector(f, run, (offset) => {
          f.set(v, v128.load(i32.add(x, offset)));
          f.set(l, v128.load(i32.add(trial, offset)));
          addError(sum, d, m, v128.load(i32.add(w, offset)));
        });
        f.set(better, v128.and(f32x4.lt(sum, best), f32x4.gt(determinant, zero)));
        f.if(v128.anyTrue(better), () => {
          forEachVector(f, run, (offset) => {
            const stored = v128.load(i32.add(codes, offset));
            f.store.v128(i32.add(codes, offset), v128.bitselect(v128.load(i32.add(trial, offset)), stored, better));
          });
          f.set(best, v128.bitselect(sum, best, better));
          f.set(scale, v128.bitselect(d, scale, better));
          f.set(low, v128.bitselect(m, low, better));
        });
        f.increase(numerators, 4);
      });
      // of equal numbers nothing was to be searched
      f.store.v128(results, v128.andnot(scale, flat));
      f.store.v128(results, f32x4.neg(low), 16);
      forEachVector(f, run, (offset) =>
        f.store.v128(i32.add(codes, offset), v128.andnot(v128.load(i32.add(codes, offset)), flat)),
      );
    },
  ),
});

/** The kernel on an engine; see reference.ts. */
export function fastScaleAndMin(engine: Engine): typeof scaleAndMin {
  const room = 4 * longestRun;
  const [given, x, w, found, trial] = [0, 1, 2, 3, 4].map(() => engine.allocate(Float32Array, room));
  const results = engine.allocate(Float32Array, 8);
  const numbers = engine.allocate(Float32Array, 64);
  return (all, from, run, weights, search, codes, scales, minima) => {
    if (scales.length % 4 !== 0) return scaleAndMin(all, from, run, weights, search, codes, scales, minima);
    const { top, absolute, numerators } = search;
    const kernel = engine.load(`scaleAndMin ${top} ${absolute ? 1 : 2}`, () => module(search));
    numbers.set(numerators);
    const end = numbers.byteOffset + 4 * numerators.length;
    for (let index = 0; index < scales.length; index += 4) {
      const at = index * run;
      for (let i = 0; i < 4 * run; i++) given[i] = all[from + at + i];
      kernel.transpose(given.byteOffset, x.byteOffset, run);
      for (let i = 0; i < 4 * run; i++) given[i] = weights[at + i];
      kernel.transpose(given.byteOffset, w.byteOffset, run);
      kernel.search(
        x.byteOffset,
        w.byteOffset,
        found.byteOffset,
        trial.byteOffset,
        run,
        numbers.byteOffset,
        end,
        results.byteOffset,
      );
      for (let lane = 0; lane < 4; lane++) {
        for (let i = 0; i < run; i++) codes[at + lane * run + i] = found[4 * i + lane];
        scales[index + lane] = results[lane];
        minima[index + lane] = results[lane + 4];
      }
    }
  };
}
