/** Arithmetic as nodes: what most gradients are made of. */
import type { GradientWriter } from "#model/ops/gradient";

export const add = (w: GradientWriter, a: string, b: string): string => w.node("Add", [a, b]);
export const sub = (w: GradientWriter, a: string, b: string): string => w.node("Sub", [a, b]);
export const mul = (w: GradientWriter, a: string, b: string): string => w.node("Mul", [a, b]);
export const div = (w: GradientWriter, a: string, b: string): string => w.node("Div", [a, b]);
export const square = (w: GradientWriter, a: string): string => w.node("Mul", [a, a]);

/** `value` where the condition is true, else 0. */
export const zeroUnless = (w: GradientWriter, condition: string, value: string): string =>
  w.node("Where", [condition, value, w.scalar(0)]);

/** A value of zeros. */
export const zeros = (w: GradientWriter, shape: readonly number[]): string =>
  w.node("Expand", [w.scalar(0), w.integers(shape)]);

/** The same elements in another shape. */
export const reshaped = (w: GradientWriter, x: string, shape: readonly number[]): string =>
  w.shapeOf(x).join() === shape.join() ? x : w.node("Reshape", [x, w.integers(shape)]);

/** Axes in another order; none where they are in that order. */
export const permuted = (w: GradientWriter, x: string, perm: readonly number[]): string =>
  perm.every((from, to) => from === to) ? x : w.node("Transpose", [x], { perm });

/** The order that undoes `perm`. → [2, 0, 1] gives [1, 2, 0] */
export function inverseOrder(perm: readonly number[]): number[] {
  const inverse: number[] = [];
  for (const [to, from] of perm.entries()) inverse[from] = to;
  return inverse;
}
