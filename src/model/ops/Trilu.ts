import { intAttribute } from "#model/attributes";
import { isStatic } from "#model/ops/dims";
import { integersOf } from "#model/ops/known";
import { movement } from "#model/ops/move";
import { sizeOf } from "#model/tensor";

/** The upper (default) or lower triangle of the last two axes, from diagonal `k` on; the rest is zero. */
export const Trilu = movement("Trilu", ({ node, inputs, x: { shape } }) => {
  const k = inputs[1] === undefined ? 0 : integersOf(inputs[1])?.[0];
  if (!isStatic(shape) || shape.length < 2 || k === undefined) return { shape };
  const upper = intAttribute(node, "upper", 1) !== 0;
  const [rows, columns] = shape.slice(-2);
  const kept = (row: number, column: number): boolean => (upper ? column - row >= k : column - row <= k);
  const offset = (i: number): number => (kept(Math.floor(i / columns) % rows, i % columns) ? i : -1);
  return { shape, offsets: () => Int32Array.from({ length: sizeOf(shape) }, (_, i) => offset(i)) };
});
