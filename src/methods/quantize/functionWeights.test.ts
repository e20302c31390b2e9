import { describe, expect, test } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { makePlan } from "#methods/plan/makePlan";
import { findWeights } from "#methods/plan/weights";
import { prepare } from "#methods/prepare";
import { FunctionWeightsWriter } from "#methods/quantize/functionWeights";
import { SharedConstants } from "#methods/quantize/parameters";
import { quantize } from "#methods/quantize/quantize";
import { checkedRecipe, weightOnlyRecipe } from "#methods/recipes";
import type { Recipe } from "#methods/types";
import { createNode } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model } from "#model/model";
import type { Tensors } from "#model/session";
import { float32, sizeOf, type Tensor } from "#model/tensor";
import { readWeightBytes } from "#model/weights";
import { dequantize } from "#quant/dequantize";
import { quantizeMatrix, tensorScheme } from "#quant/quantizers/index";
import { createReferenceSession } from "#runtimes/reference/reference";
import { modelOf } from "../../../test/modelBuilder";

function gauss(dims: readonly number[], seed = 1): Tensor {
  const rng = createRng(`${seed} ${dims.join()}`);
  return float32(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => normal(rng)),
  );
}

async function stored(model: Model, wish: Partial<Recipe> & { readonly weights: string }): Promise<Model> {
  const recipe = checkedRecipe({ ...weightOnlyRecipe(wish.weights), smallestWeight: 1, ...wish });
  const prepared = await prepare(model, 13);
  const target = { name: "test", kernelOf: () => undefined };
  return quantize(prepared, await makePlan(prepared, recipe, { target, seed: 3 }), target);
}

async function answer(model: Model, feeds: Tensors): Promise<ArrayLike<number>> {
  const session = await createReferenceSession(model);
  const [y] = Object.values(await session.run(feeds));
  return y.data as Float32Array;
}

/** What the weight of a layer is replaced by: all that varies is where channels and sums lie. */
describe("a weight is a matrix of its output channels", () => {
  const layers: [name: string, op: string, x: number[], w: number[], attributes?: Record<string, number>][] = [
    ["Conv", "Conv", [1, 3, 5, 5], [4, 3, 3, 3]],
    ["grouped Conv", "Conv", [1, 4, 5, 5], [4, 2, 3, 3], { group: 2 }],
    ["ConvTranspose", "ConvTranspose", [1, 3, 4, 4], [3, 4, 2, 2]],
    ["MatMul", "MatMul", [2, 8], [8, 6]],
    ["batched MatMul", "MatMul", [3, 2, 8], [3, 8, 6]],
    ["Gemm", "Gemm", [2, 8], [8, 6]],
    ["transposed Gemm", "Gemm", [2, 8], [6, 8], { transB: 1 }],
  ];

  test.each(layers)("%s", async (...[, op, xDims, wDims, attributes = {}]) => {
    const w = gauss(wDims);
    const build = (weight: Tensor): Model =>
      modelOf({
        opset: 13,
        inputs: { x: ["float32", xDims] },
        outputs: ["y"],
        nodes: [createNode(op, ["x", "w"], ["y"], attributes)],
        weights: { w: weight },
      });
    const x = gauss(xDims, 2);
    const quantized = await stored(build(w), { weights: "kmeans:4/channel" });
    // one scale a channel: each output channel must be what a k-means of that channel alone gives
    const expected = await answer(build(perChannel(w, op, attributes)), { x });
    const given = await answer(quantized, { x });
    expect(given.length).toBe(expected.length);
    for (let i = 0; i < given.length; i++) expect(given[i]).toBeCloseTo(expected[i], 4);
  });
});

/** The weight with each output channel clustered alone, found element by element. */
function perChannel(w: Tensor, op: string, attributes: Record<string, number>): Tensor {
  const { dims } = w;
  const axis = op === "Conv" ? 0 : op === "ConvTranspose" ? 1 : attributes.transB === 1 ? 0 : dims.length - 1;
  const channels = new Map<string, number[]>();
  for (let i = 0; i < w.data.length; i++) {
    const at = dims.map((dim, k) => Math.floor(i / sizeOf(dims.slice(k + 1))) % dim);
    const batch = op === "MatMul" && dims.length === 3 ? at[0] : 0;
    const key = `${batch} ${at[axis]}`;
    channels.set(key, [...(channels.get(key) ?? []), i]);
  }
  const data = new Float32Array(w.data.length);
  for (const indices of channels.values()) {
    const values = Float32Array.from(indices, (i) => w.data[i] as number);
    const q = quantizeMatrix({ values, rows: 1, columns: values.length }, "kmeans:4", { rng: createRng(0) });
    dequantize(q).forEach((v, k) => {
      data[indices[k]] = v;
    });
  }
  return float32(dims, data);
}

const mlp = modelOf({
  opset: 13,
  inputs: { x: ["float32", [1, 16]] },
  outputs: ["y"],
  nodes: [
    createNode("MatMul", ["x", "a"], ["h"], {}, { name: "first" }),
    createNode("MatMul", ["h", "b"], ["i"], {}, { name: "second" }),
    createNode("MatMul", ["i", "c"], ["y"], {}, { name: "third" }),
  ],
  weights: { a: gauss([16, 16]), b: gauss([16, 16], 2), c: gauss([16, 8], 3) },
});

test("layers of one form share a function, and each says its scheme", async () => {
  const { functions, graph, opsets, irVersion } = await stored(mlp, { weights: "kmeans:8" });
  expect(functions.map(({ name }) => name)).toEqual(["Lookup3"]);
  const calls = graph.nodes.filter(({ domain }) => domain === "lowbit");
  expect(calls.map(({ op, attributes }) => [op, attributes.get("scheme")?.value])).toEqual(
    Array.from({ length: 3 }, () => ["Lookup3", "kmeans:8"]),
  );
  expect(opsets.get("lowbit")).toBe(1);
  expect(irVersion).toBeGreaterThanOrEqual(8);
});

test("rules give layers schemes of their own, and float leaves them", async () => {
  const rules = [
    { match: "second", weights: "nf4/group:8" },
    { match: "third", weights: "float" },
  ];
  const { functions, graph } = await stored(mlp, { weights: "kmeans:8", rules });
  expect(functions.map(({ name }) => name)).toEqual(["Lookup3", "Lookup4"]);
  expect(graph.initializers.get("c")?.element).toBe("float32");
});

test("a weight that two layers share stays one", async () => {
  const tied = modelOf({
    opset: 13,
    inputs: { x: ["float32", [1, 16]] },
    outputs: ["y"],
    nodes: [createNode("MatMul", ["x", "a"], ["h"]), createNode("MatMul", ["h", "a"], ["y"])],
    weights: { a: gauss([16, 16]) },
  });
  const { graph } = await stored(tied, { weights: "kmeans:8" });
  expect(graph.nodes.filter(({ domain }) => domain === "lowbit")).toHaveLength(1);
});

test("a weight that its scheme does not fit stays float, and the plan says why", async () => {
  const odd = modelOf({
    opset: 13,
    inputs: { x: ["float32", [1, 16]] },
    outputs: ["y"],
    nodes: [createNode("MatMul", ["x", "a"], ["h"]), createNode("MatMul", ["h", "b"], ["y"])],
    weights: { a: gauss([16, 18]), b: gauss([18, 32]) },
  });
  const recipe = { ...weightOnlyRecipe("vq:4x4"), smallestWeight: 1 };
  const plan = await makePlan(await prepare(odd, 13), recipe, {
    target: { name: "", kernelOf: () => undefined },
    seed: 0,
  });
  expect(plan.weights.map(({ storage }) => storage)).toEqual(["function", "float32"]);
  expect(plan.weights[1].why).toContain("18 columns");
  expect(plan.diagnostics).toMatchObject([{ code: "plan/unfit-scheme", at: { tensor: "b" } }]);
});

test("a scheme that fits nothing is refused, with what would fit", async () => {
  await expect(stored(mlp, { weights: "gguf:q4_k" })).rejects.toThrow("16 columns are no multiple of 256");
});

test("codes that are not kept are made again, the same", async () => {
  const { graph } = modelOf({
    opset: 13,
    inputs: { x: ["float32", [1, 128]] },
    outputs: ["y"],
    nodes: [createNode("MatMul", ["x", "w"], ["y"])],
    weights: { w: gauss([128, 96]) },
  });
  const written = async (heldBytes: number): Promise<(readonly [string, Uint8Array])[]> => {
    const draft = new GraphDraft(graph);
    const [weight] = findWeights({ ...mlp, graph }, draft);
    const channelMeans = new Map<string, Float64Array>();
    const common = { constants: new SharedConstants(draft), channelMeans, opset: 13, functions: [], seed: 5 };
    const writer = new FunctionWeightsWriter(draft, { ...common, heldBytes });
    await writer.write(weight, tensorScheme("int5/channel/stochastic"));
    const made = [...draft.finish().initializers.values()];
    expect(made.some(({ data }) => data.kind === "lazy")).toBe(heldBytes === 0);
    return Promise.all(made.map(async (ref) => [ref.name, await readWeightBytes(ref)] as const));
  };
  expect(await written(0)).toEqual(await written(2 ** 20));
});

test("a file that holds such weights is not quantized twice", async () => {
  const once = await stored(mlp, { weights: "kmeans:8" });
  await expect(stored(once, { weights: "int8/channel" })).rejects.toThrow(
    "quantized already: it computes with Lookup3",
  );
});

test("activations have no such schemes, and the error says which they have", () => {
  const wish = { ...weightOnlyRecipe("int8"), mode: "static" as const };
  expect(() => checkedRecipe({ ...wish, activations: "kmeans:16" })).toThrow("cannot be computed as kmeans:16");
});
