/** Q8_0's blocks, sixteen numbers a store. Vectors round halves to even: what was halfway is moved away from zero. */
import { func } from "#kernels/assembler/assemble";
import { f32, i32 } from "#kernels/assembler/scalar";
import { f32x4, i16x8, i32x4, i8x16, v128 } from "#kernels/assembler/vector";
import { blockOf32, folded, inverseOf, onTiles, whereFinite } from "#kernels/blocksOf32";
import type { Engine } from "#kernels/engine";
import { foldLanes } from "#kernels/lanes";
import type { q8_0 } from "#kernels/q8_0/reference";

const signs = i32x4.const(-0x80000000);

const module = () => ({
  encode: func({ x: "i32", end: "i32", out: "i32", d: "i32" }, undefined, (f, { x, end, out, d }) => {
    const { vectors, read } = blockOf32(f);
    const [most, inverses, finite, nearest] = [0, 1, 2, 3].map(() => f.local("v128"));
    const [scale, inverse] = [f.local("f32"), f.local("f32")];
    f.while(i32.ltU(x, end), () => {
      read(x);
      f.set(
        most,
        folded(
          vectors.map((v) => f32x4.abs(v)),
          f32x4.pmax,
        ),
      );
      foldLanes(f, [most], f32x4.pmax);
      f.set(scale, f32.div(f32x4.extractLane(most, 0), 127));
      f.store.f32(d, scale);
      f.set(inverse, inverseOf(scale));
      f.set(inverses, f32x4.splat(inverse));
      f.set(finite, whereFinite(inverse));
      for (const v of vectors) {
        f.set(v, f32x4.mul(v, inverses));
        f.set(nearest, f32x4.nearest(v));
        const halfway = f32x4.eq(f32x4.abs(f32x4.sub(v, nearest)), f32x4.const(0.5));
        const away = f32x4.add(v, v128.or(v128.and(v, signs), f32x4.const(0.5)));
        f.set(v, v128.and(i32x4.truncSatF32x4S(v128.bitselect(away, nearest, halfway)), finite));
      }
      for (const half of [0, 4]) {
        const [a, b, c, e] = vectors.slice(half, half + 4);
        const bytes = i8x16.narrowI16x8S(i16x8.narrowI32x4S(a, b), i16x8.narrowI32x4S(c, e));
        f.store.v128(out, bytes, 2 + 4 * half);
      }
      f.increase(x, 128);
      f.increase(out, 34);
      f.increase(d, 4);
    });
  }),
});

/** The kernel on an engine; see reference.ts. */
export function fastQ8_0(engine: Engine): typeof q8_0 {
  return (x, out) => {
    const { encode } = engine.load("q8_0", module);
    onTiles(engine, 34, x, out, encode);
  };
}
