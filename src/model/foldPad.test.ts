import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { createNode, intsAttribute } from "#model/attributes";
import { foldPad } from "#model/foldPad";
import type { Model } from "#model/model";
import { float32, int64, type Tensor, toNumbers } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { modelOf } from "../../test/modelBuilder";

const rng = createRng(5);
const random = (...dims: number[]): Tensor =>
  float32(
    dims,
    Float32Array.from({ length: dims.reduce((n, d) => n * d, 1) }, () => normal(rng)),
  );
const inputs = { x: ["float32", [1, 4, 7, 7]] } as const;
const weights = { w: random(3, 4, 3, 3) };
const pad = (names: string[], attributes = {}) => createNode("Pad", names, ["p"], attributes);
const conv = (attributes = {}) => createNode("Conv", ["p", "w"], ["y"], { strides: [2, 2], ...attributes });
const padded = (sides: number[], extra: Record<string, Tensor> = {}, more: string[] = [], attributes = {}): Model =>
  modelOf({
    inputs,
    outputs: ["y"],
    weights: { ...weights, s: int64([sides.length], sides), ...extra },
    nodes: [pad(["x", "s", ...more]), conv(attributes)],
  });

async function outputs(model: Model, x: Tensor): Promise<number[]> {
  const session = await createReferenceSession(model);
  return Array.from(toNumbers((await session.run({ x })).y));
}

const ops = (model: Model): string[] => model.graph.nodes.map(({ op }) => op);

describe("zeros that a Pad adds", () => {
  test.each([
    ["below and to the right", padded([0, 0, 0, 0, 0, 0, 1, 1]), [0, 0, 1, 1]],
    ["on top of the convolution's own", padded([0, 0, 1, 0, 0, 0, 2, 1], {}, [], { pads: [1, 1, 0, 0] }), [2, 1, 2, 1]],
    ["where axes are named", padded([2, 1], { a: int64([1], [-1]) }, ["", "a"]), [0, 2, 0, 1]],
    ["of a stated 0", padded([0, 0, 1, 1, 0, 0, 1, 1], { z: float32([], [0]) }, ["z"]), [1, 1, 1, 1]],
  ])("are the convolution's afterwards: %s", async (_, model, pads) => {
    const folded = await foldPad(model);
    expect(ops(folded)).toEqual(["Conv"]);
    expect(intsAttribute(folded.graph.nodes[0], "pads")).toEqual(pads);
    const x = random(1, 4, 7, 7);
    expect(await outputs(folded, x)).toEqual(await outputs(model, x));
  });

  test.each([
    ["that are no zeros", padded([0, 0, 1, 1, 0, 0, 1, 1], { z: float32([], [0.5]) }, ["z"])],
    ["that are less than none", padded([0, 0, -1, 0, 0, 0, 1, 1])],
    ["between channels", padded([0, 1, 1, 1, 0, 0, 1, 1])],
    ["beside an automatic padding", padded([0, 0, 1, 1, 0, 0, 1, 1], {}, [], { auto_pad: "SAME_UPPER" })],
  ])("stay where they are: %s", async (_, model) => {
    expect(ops(await foldPad(model))).toEqual(["Pad", "Conv"]);
  });

  test("stay for a reader that is no convolution", async () => {
    const model = modelOf({
      inputs,
      outputs: ["y", "z"],
      weights: { ...weights, s: int64([8], [0, 0, 1, 1, 0, 0, 1, 1]) },
      nodes: [pad(["x", "s"]), conv(), createNode("Relu", ["p"], ["z"])],
    });
    const folded = await foldPad(model);
    expect(ops(folded).sort()).toEqual(["Conv", "Pad", "Relu"]);
    expect(folded.graph.nodes.find(({ op }) => op === "Conv")?.inputs[0]).toBe("x");
  });
});
