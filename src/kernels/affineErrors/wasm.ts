import { func } from "#kernels/assembler/assemble";
import { f32, f64, i32 } from "#kernels/assembler/scalar";
import { f32x4, v128 } from "#kernels/assembler/vector";
import { affineErrors } from "#kernels/affineErrors/reference";
import type { Engine } from "#kernels/engine";
import { foldLanes } from "#kernels/lanes";

const magic = 12582912;

const module = () => ({
  /** Adds to errors[k] for `candidates` candidates; `bytes` of x, a multiple of 64. */
  errors: func(
    { x: "i32", bytes: "i32", candidates: "i32", scales: "i32", lowest: "i32", highest: "i32", errors: "i32" },
    undefined,
    (f, { x, bytes, candidates, scales, lowest, highest, errors }) => {
      const sums = [0, 1, 2, 3].map(() => f.local("v128"));
      const [scale, inverse, low, high, shift] = Array.from({ length: 5 }, () => f.local("v128"));
      const [v, d] = [f.local("v128"), f.local("v128")];
      const [from, stop] = [f.local("i32"), f.local("i32")];
      const end = f.local("i32", i32.add(x, bytes));
      const total = f.local("f64");
      f.set(shift, f32x4.const(magic));
      f.while(candidates, () => {
        f.set(scale, v128.load32Splat(scales));
        f.set(inverse, f32x4.div(f32x4.const(1), scale));
        f.set(low, v128.load32Splat(lowest));
        f.set(high, v128.load32Splat(highest));
        f.set(total, f64.load(errors));
        f.set(from, x);
        f.while(i32.ltU(from, end), () => {
          for (const sum of sums) f.set(sum, f32x4.const(0));
          f.set(stop, i32.add(from, 4096));
          f.set(stop, i32.select(stop, end, i32.ltU(stop, end)));
          f.doWhile(i32.ltU(from, stop), () => {
            sums.forEach((sum, j) => {
              f.set(v, v128.load(from, 16 * j));
              // low first: a NaN then gives low
              f.set(d, f32x4.pmin(high, f32x4.pmax(low, f32x4.mul(v, inverse))));
              f.set(d, f32x4.sub(f32x4.add(d, shift), shift));
              f.set(d, f32x4.sub(v, f32x4.mul(d, scale)));
              f.set(sum, f32x4.add(sum, f32x4.mul(d, d)));
            });
            f.increase(from, 64);
          });
          // in halves: 16 sums, 8, 4, and the rest inside a vector
          f.set(sums[0], f32x4.add(sums[0], sums[2]));
          f.set(sums[1], f32x4.add(sums[1], sums[3]));
          foldLanes(f, [sums[0], sums[1]], f32x4.add);
          f.set(total, f64.add(total, f64.promoteF32(f32.add(f32x4.extractLane(sums[0], 0), 0))));
        });
        f.store.f64(errors, total);
        f.increase(scales, 4);
        f.increase(lowest, 4);
        f.increase(highest, 4);
        f.increase(errors, 8);
        f.increase(candidates, -1);
      });
    },
  ),
});

/** The kernel on an engine; see reference.ts. */
export function fastAffineErrors(engine: Engine): typeof affineErrors {
  return (x, candidates, errors) => {
    const { scales } = candidates;
    if (scales.length > 4096 || x.length < 16) return affineErrors(x, candidates, errors);
    const kernel = engine.load("affineErrors", module);
    engine.clear();
    const [s, low, high] = [scales, candidates.lowest, candidates.highest].map((array) => engine.enter(array));
    const sums = engine.roomFor(Float64Array, scales.length);
    sums.set(errors);
    const used = engine.mark();
    // whole thousands, so that sums begin where the reference's do
    const tile = 65536;
    for (let first = 0; first < x.length; first += tile) {
      const part = x.subarray(first, first + tile);
      engine.clear(used);
      let from = part.byteOffset;
      const padded = Math.ceil(part.length / 16) * 16;
      if (part.buffer !== engine.memory.buffer || padded !== part.length) {
        // zeros cost nothing
        const copy = engine.roomFor(Float32Array, padded);
        copy.set(part);
        copy.fill(0, part.length);
        from = copy.byteOffset;
      }
      kernel.errors(from, 4 * padded, scales.length, s, low, high, sums.byteOffset);
    }
    errors.set(sums);
  };
}
