import { expect, test } from "vitest";
import { shareRanges } from "#methods/plan/rangeGroups";
import type { Unit } from "#methods/plan/units";
import { createNode } from "#model/attributes";

const conv = (x: string, y: string, low?: number, high = Number.POSITIVE_INFINITY): Unit => {
  const node = createNode("Conv", [x, "w"], [low === undefined ? y : `${y}_raw`]);
  const activation =
    low === undefined ? {} : { activation: { node: createNode("Clip", [`${y}_raw`], [y]), low, high } };
  return {
    node,
    kernel: { kind: "linear", floatOutput: false },
    operands: [x],
    constants: [],
    output: y,
    ...activation,
  };
};
const concat = (operands: string[], y: string): Unit => ({
  node: createNode("Concat", operands, [y]),
  kernel: { kind: "pointwise" },
  operands,
  constants: [],
  output: y,
});
const pool = (x: string, y: string): Unit => ({
  node: createNode("MaxPool", [x], [y]),
  kernel: { kind: "moves" },
  operands: [x],
  constants: [],
  output: y,
});

const own = (ranges: Record<string, [number, number]>) =>
  new Map(Object.entries(ranges).map(([name, [low, high]]) => [name, { low, high }]));

test("what is only moved keeps its codes: input and output share the wider range", () => {
  const shared = shareRanges([conv("x", "a"), pool("a", "b")], own({ x: [-1, 1], a: [-2, 5], b: [-1, 5] }));
  expect(shared.get("b")).toEqual({ low: -2, high: 5, group: "a" });
  expect(shared.get("x")?.group).toBe("x");
});

test("concatenated values share one range, through what moves them too", () => {
  const shared = shareRanges(
    [conv("x", "a"), pool("a", "p"), conv("x", "b"), concat(["p", "b"], "c")],
    own({ x: [0, 1], a: [-1, 2], p: [0, 2], b: [-3, 1], c: [-3, 2] }),
  );
  for (const name of ["a", "p", "b", "c"]) expect(shared.get(name)).toMatchObject({ low: -3, high: 2 });
});

test("a Relu that the codes perform is not undone by a neighbour with negative values", () => {
  const shared = shareRanges(
    [conv("x", "a", 0), conv("x", "b"), concat(["a", "b"], "c")],
    own({ x: [0, 1], a: [0, 2], b: [-3, 1], c: [-3, 2] }),
  );
  expect(shared.get("a")).toMatchObject({ low: 0, high: 2 });
});

test("nor a Clip at 6 by one that is not clipped", () => {
  const shared = shareRanges(
    [conv("x", "a", 0, 6), conv("x", "b", 0), concat(["a", "b"], "c")],
    own({ x: [0, 1], a: [0, 6], b: [0, 9], c: [0, 9] }),
  );
  expect(shared.get("a")).toMatchObject({ low: 0, high: 6 });
});
