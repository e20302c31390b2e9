import { describe, test } from "vitest";
import { createNode } from "#model/attributes";
import { unaryGradients } from "#model/ops/gradients/unary";
import { checkGradient, float64 } from "./checkGradient";

/** Into the domains of functions that have one. */
const domains: Readonly<Record<string, (x: number) => number>> = {
  Sqrt: Math.abs,
  Log: Math.abs,
  Asin: Math.sin,
  Acos: Math.sin,
  Atanh: Math.tanh,
  Acosh: (x) => 1 + Math.abs(x),
};
/** Away from 0, where steps and corners are. */
const tame = (op: string) => {
  const x = float64([2, 3], 3, 0.3);
  return { ...x, data: Float64Array.from(x.data as Float64Array, domains[op] ?? ((v) => v)) };
};

describe("a function of one element has its slope as gradient", () => {
  test.each(Object.keys(unaryGradients))("%s", (op) =>
    checkGradient({ nodes: [createNode(op, ["x"], ["y"])], output: "y", inputs: { x: tame(op) }, dims: [2, 3] }),
  );
});

describe("a function of two elements has both slopes, summed over what was repeated", () => {
  const shapes = [
    [
      [2, 3],
      [2, 3],
    ],
    [[2, 3], [3]],
    [
      [2, 1],
      [1, 3],
    ],
    [[3], [4, 2, 3]],
    [[], [2, 3]],
  ];
  const ops = ["Add", "Sub", "Mul", "Div", "Pow", "PRelu"];
  const cases = ops.flatMap((op) => shapes.map(([a, b]) => [op, a, b] as const));
  test.each(cases.filter(([op, a]) => op !== "PRelu" || (a.length === 2 && a[1] === 3)))(
    "%s of %j and %j",
    (op, a, b) => {
      const size = Math.max(a.length, b.length);
      const dim = (shape: readonly number[], axis: number): number => shape[axis - size + shape.length] ?? 1;
      const dims = Array.from({ length: size }, (_, axis) => Math.max(dim(a, axis), dim(b, axis)));
      const left = float64(a, 3, 0.3);
      const base = { ...left, data: Float64Array.from(left.data as Float64Array, Math.abs) };
      const inputs = { a: op === "Pow" ? base : left, b: float64(b, 4, 0.3) };
      return checkGradient({ nodes: [createNode(op, ["a", "b"], ["y"])], output: "y", inputs, dims });
    },
  );
});
