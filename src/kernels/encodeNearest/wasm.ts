/**
 * Nearest entries. The code of x is how many borders lie below it. Of few borders all are compared, sixteen numbers at a time, and a
 * comparison that holds is −1 to be taken away; among many a search halves them, without a branch.
 *
 * A border between two entries is a float64; x > border asks the same as x > the greatest float32 that is not above the border.
 */
import { func } from "#kernels/assembler/assemble";
import { f32, i32 } from "#kernels/assembler/scalar";
import { f32x4, i16x8, i32x4, i8x16, v128 } from "#kernels/assembler/vector";
import { encodeNearest } from "#kernels/encodeNearest/reference";
import type { Engine } from "#kernels/engine";
import { at, forEachStep } from "#kernels/steps";

/** Up to so many entries comparing with all borders is faster than searching. */
const mostCompared = 96;

const module = () => ({
  /** `borders` holds each border four times; `end` is where they end. */
  compare: func(
    { x: "i32", count: "i32", borders: "i32", end: "i32", codes: "i32" },
    undefined,
    (f, { x, count, borders, end, codes }) => {
      const lanes = [0, 1, 2, 3].map(() => ({ x: f.local("v128"), below: f.local("v128") }));
      const [border, next, from] = [f.local("v128"), f.local("i32"), f.local("i32")];
      forEachStep(f, count, 16, (index) => {
        f.set(from, at(x, index, 4));
        lanes.forEach((lane, j) => {
          f.set(lane.x, v128.load(from, 16 * j));
          f.set(lane.below, i32x4.const(0));
        });
        f.set(next, borders);
        f.while(i32.ltU(next, end), () => {
          f.set(border, v128.load(next));
          for (const lane of lanes) f.set(lane.below, i32x4.sub(lane.below, f32x4.gt(lane.x, border)));
          f.increase(next, 16);
        });
        const [a, b, c, d] = lanes.map(({ below }) => below);
        f.store.v128(at(codes, index, 1), i8x16.narrowI16x8U(i16x8.narrowI32x4S(a, b), i16x8.narrowI32x4S(c, d)));
      });
    },
  ),
  /** `borders` holds 256, the last ones infinite. */
  search: func(
    { x: "i32", count: "i32", borders: "i32", codes: "i32" },
    undefined,
    (f, { x, count, borders, codes }) => {
      const four = [0, 1, 2, 3].map(() => ({ x: f.local("f32"), below: f.local("i32") }));
      const from = f.local("i32");
      forEachStep(f, count, 4, (index) => {
        f.set(from, at(x, index, 4));
        four.forEach((one, j) => {
          f.set(one.x, f32.load(from, 4 * j));
          f.set(one.below, borders);
        });
        // addresses instead of codes: a step is 4 bytes a border
        for (let half = 128; half >= 1; half /= 2)
          for (const one of four)
            f.increase(one.below, i32.mul(f32.gt(one.x, f32.load(one.below, 4 * (half - 1))), 4 * half));
        four.forEach((one, j) => f.store.i8(at(codes, index, 1), i32.shrU(i32.sub(one.below, borders), 2), j));
      });
    },
  ),
});

/** The kernel on an engine; see reference.ts. */
export function fastEncodeNearest(engine: Engine): typeof encodeNearest {
  return (x, table, codes) => {
    const entries = table.length;
    if (entries < 2 || entries > 256 || codes.BYTES_PER_ELEMENT !== 1 || x.length < 4 * entries)
      return encodeNearest(x, table, codes);
    const kernel = engine.load("encodeNearest", module);
    engine.clear();
    const compared = entries <= mostCompared;
    const borders = engine.roomFor(Float32Array, compared ? 4 * (entries - 1) : 256).fill(Number.POSITIVE_INFINITY);
    for (let k = 1; k < entries; k++) {
      const border = notAbove((table[k - 1] + table[k]) / 2);
      if (compared) borders.fill(border, 4 * (k - 1), 4 * k);
      else borders[k - 1] = border;
    }
    const used = engine.mark();
    const tile = engine.tile(x, codes);
    for (let first = 0; first < x.length; first += tile) {
      const end = Math.min(x.length, first + tile);
      const [from, to] = [x.subarray(first, end), codes.subarray(first, end)];
      if (end - first < 16) return encodeNearest(from, table, to);
      engine.clear(used);
      const target = engine.target(to);
      const source = engine.enter(from);
      const { byteOffset, byteLength } = borders;
      if (compared) kernel.compare(source, end - first, byteOffset, byteOffset + byteLength, target);
      else kernel.search(source, end - first, byteOffset, target);
      engine.leave(to, target);
    }
  };
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The greatest float32 that is not above a number. */
function notAbove(value: number): number {
  float[0] = value;
  if (float[0] > value) {
    if (float[0] === 0) return -1.401298464324817e-45;
    bits[0] += float[0] > 0 ? -1 : 1;
  }
  return float[0];
}
