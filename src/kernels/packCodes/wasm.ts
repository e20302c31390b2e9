import { func } from "#kernels/assembler/assemble";
import { i8x16, v128 } from "#kernels/assembler/vector";
import type { Engine } from "#kernels/engine";
import { packBytes } from "#kernels/packCodes/pack";
import { packCodes } from "#kernels/packCodes/reference";
import { at, forEachStep } from "#kernels/steps";
import { i32 } from "#kernels/assembler/scalar";

/** For `count` codes, a multiple of 16 of them. */
const module = (bits: 2 | 4) => () => ({
  pack: func({ codes: "i32", count: "i32", packed: "i32" }, undefined, (f, { codes, count, packed }) => {
    const kept = f.local("v128");
    const keep = (v: typeof kept | ReturnType<typeof packBytes>) => {
      f.set(kept, v);
      return kept;
    };
    const mask = f.local("v128", i8x16.const(2 ** bits - 1));
    forEachStep(f, count, 16, (index) => {
      keep(packBytes(bits, keep(v128.and(v128.load(at(codes, index, 1)), mask)), keep));
      const to = i32.add(packed, i32.shrU(index, bits === 4 ? 1 : 2));
      if (bits === 4) f.store.lane64(to, kept, 0);
      else f.store.lane32(to, kept, 0);
    });
  }),
});

/** The kernel on an engine; see reference.ts. */
export function fastPackCodes(engine: Engine): typeof packCodes {
  return (codes, bits, packed) => {
    const kernel = engine.load(`packCodes ${bits} bits`, module(bits));
    const whole = codes.length - (codes.length % 16);
    const tile = engine.tile(codes, packed);
    for (let first = 0; first < whole; first += tile) {
      const end = Math.min(whole, first + tile);
      const to = packed.subarray((first * bits) / 8, (end * bits) / 8);
      engine.clear();
      const target = engine.target(to);
      kernel.pack(engine.enter(codes.subarray(first, end)), end - first, target);
      engine.leave(to, target);
    }
    packCodes(codes.subarray(whole), bits, packed.subarray((whole * bits) / 8));
  };
}
