/** Q4_0's blocks, sixteen numbers a store. The block's extreme is its greatest or its least number; where these are as far from 0, the first. */
import { func } from "#kernels/assembler/assemble";
import { f32, i32 } from "#kernels/assembler/scalar";
import type { Value } from "#kernels/assembler/value";
import { f32x4, i16x8, i32x4, i8x16, v128 } from "#kernels/assembler/vector";
import { blockOf32, folded, inverseOf, onTiles, whereFinite } from "#kernels/blocksOf32";
import type { Engine } from "#kernels/engine";
import { foldLanes } from "#kernels/lanes";
import type { q4_0 } from "#kernels/q4_0/reference";

const module = () => ({
  encode: func({ x: "i32", end: "i32", out: "i32", d: "i32" }, undefined, (f, { x, end, out, d }) => {
    const { vectors, read } = blockOf32(f);
    const [greatest, least, inverses, finite] = [0, 1, 2, 3].map(() => f.local("v128"));
    const [high, low, extreme, scale, inverse] = [0, 1, 2, 3, 4].map(() => f.local("f32"));
    const at = f.local("i32");
    f.while(i32.ltU(x, end), () => {
      read(x);
      f.set(greatest, folded(vectors, f32x4.pmax));
      f.set(least, folded(vectors, f32x4.pmin));
      foldLanes(f, [greatest], f32x4.pmax);
      foldLanes(f, [least], f32x4.pmin);
      f.set(high, f32x4.extractLane(greatest, 0));
      f.set(low, f32.neg(f32x4.extractLane(least, 0)));
      f.set(extreme, f32.select(high, f32.neg(low), f32.gt(high, low)));
      f.if(f32.eq(high, low), () => {
        f.set(at, x);
        f.while(f32.ne(f32.abs(f32.load(at)), high), () => f.increase(at, 4));
        // of zeros none is an extreme
        f.set(extreme, f32.select(0, f32.load(at), f32.eq(high, 0)));
      });
      f.set(scale, f32.div(extreme, -8));
      f.store.f32(d, scale);
      f.set(inverse, inverseOf(scale));
      f.set(inverses, f32x4.splat(inverse));
      f.set(finite, whereFinite(inverse));
      const codes = (v: Value<"v128">) => {
        const code = i32x4.truncSatF32x4S(f32x4.add(f32x4.mul(v, inverses), f32x4.const(8.5)));
        return v128.and(i32x4.minS(code, i32x4.const(15)), finite);
      };
      const [lows, highs] = [vectors.slice(0, 4), vectors.slice(4)].map((four) => {
        const [a, b, c, e] = four.map(codes);
        return i8x16.narrowI16x8U(i16x8.narrowI32x4S(a, b), i16x8.narrowI32x4S(c, e));
      });
      f.store.v128(out, v128.or(lows, i8x16.shl(highs, 4)), 2);
      f.increase(x, 128);
      f.increase(out, 18);
      f.increase(d, 4);
    });
  }),
});

/** The kernel on an engine; see reference.ts. */
export function fastQ4_0(engine: Engine): typeof q4_0 {
  return (x, out) => {
    const { encode } = engine.load("q4_0", module);
    onTiles(engine, 18, x, out, encode);
  };
}
