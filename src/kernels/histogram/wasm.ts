/**
 * Histograms: bins of four numbers on vectors, then four additions to memory. Neighbours add to tables of their own, because equal
 * numbers follow one another and an addition would wait for the one before.
 */
import { func } from "#kernels/assembler/assemble";
import { i32 } from "#kernels/assembler/scalar";
import { f32x4, i32x4, v128 } from "#kernels/assembler/vector";
import type { Engine } from "#kernels/engine";
import { histogram } from "#kernels/histogram/reference";

/** More do not fit into scratch beside a tile. */
const mostBins = 65536;

const module = () => ({
  /** For `count` numbers, a multiple of 4. `table` j of four begins at tables + j·4·(bins + 2), with a bin on either side for what lies outside. */
  count: func(
    { x: "i32", count: "i32", width: "f32", inverse: "f32", first: "i32", bins: "i32", tables: "i32" },
    undefined,
    (f, { x, count, width, inverse, first, bins, tables }) => {
      const end = f.local("i32", i32.add(x, i32.shl(count, 2)));
      const [v, whole, widths, inverses] = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")];
      const [shift, last, none] = [f.local("v128"), f.local("v128"), f.local("v128")];
      const starts = [0, 1, 2, 3].map((j) => f.local("i32", i32.add(tables, i32.mul(i32.mul(i32.add(bins, 2), 4), j))));
      const counter = f.local("i32");
      f.set(widths, f32x4.splat(width));
      f.set(inverses, f32x4.splat(inverse));
      // bin −1 is the table's first
      f.set(shift, i32x4.splat(i32.sub(1, first)));
      f.set(last, i32x4.splat(i32.add(bins, 1)));
      f.set(none, i32x4.const(0));
      f.while(i32.ltU(x, end), () => {
        f.set(v, v128.load(x));
        // ⌊v / width⌋: the whole part, less one where that lies above v. Products with `width` are exact; v · inverse may be too small for float32
        f.set(whole, i32x4.truncSatF32x4S(f32x4.mul(v, inverses)));
        f.set(whole, i32x4.add(whole, f32x4.gt(f32x4.mul(f32x4.convertI32x4S(whole), widths), v)));
        f.set(whole, i32x4.minS(i32x4.maxS(i32x4.add(whole, shift), none), last));
        // NaN counts outside
        f.set(whole, v128.and(whole, f32x4.eq(v, v)));
        starts.forEach((start, j) => {
          f.set(counter, i32.add(start, i32.shl(i32x4.extractLane(whole, j), 2)));
          f.store.i32(counter, i32.add(i32.load(counter), 1));
        });
        f.increase(x, 16);
      });
    },
  ),
});

/** The kernel on an engine; see reference.ts. */
export function fastHistogram(engine: Engine): typeof histogram {
  return (x, width, first, counts) => {
    const bins = counts.length;
    const inverse = 1 / width;
    // both factors are float32, saturated bins stay apart from counted ones, and few numbers are not worth four tables
    const fits = Math.fround(inverse) === inverse && Math.fround(width) === width && Math.abs(first) < 2 ** 22;
    if (!fits || bins > mostBins || x.length < 4 * bins) return histogram(x, width, first, counts);
    const kernel = engine.load("histogram", module);
    const whole = x.length - (x.length % 4);
    // counters have 32 bits
    const tile = Math.min(engine.tile(x), 2 ** 31);
    const size = bins + 2;
    engine.clear();
    const tables = engine.roomFor(Uint32Array, 4 * size).fill(0);
    const used = engine.mark();
    for (let start = 0; start < whole; start += tile) {
      engine.clear(used);
      const part = x.subarray(start, Math.min(whole, start + tile));
      kernel.count(engine.enter(part), part.length, width, inverse, first, bins, tables.byteOffset);
    }
    for (let i = 0; i < bins; i++)
      counts[i] += tables[i + 1] + tables[size + i + 1] + tables[2 * size + i + 1] + tables[3 * size + i + 1];
    histogram(x.subarray(whole), width, first, counts);
  };
}
