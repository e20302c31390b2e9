import { describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { onnxBytes, readOnnx } from "#formats/onnx/index";
import { createNode } from "#model/attributes";
import { float32, fromNumbers } from "#model/tensor";
import { inspect } from "#report/inspect";
import { inspectText } from "#report/inspectText";
import { functionOf, modelOf } from "../../test/modelBuilder";

const wave = (dims: readonly number[], factor = 1) =>
  float32(
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * factor)),
  );

const small = modelOf({
  opset: 17,
  inputs: { image: ["float32", ["N", 3, 8, 8]] },
  outputs: ["scores"],
  nodes: [
    createNode("Conv", ["image", "conv.w", "conv.b"], ["c"], { pads: [1, 1, 1, 1] }, { name: "conv" }),
    createNode("Relu", ["c"], ["r"]),
    createNode("GlobalAveragePool", ["r"], ["g"]),
    createNode("Flatten", ["g"], ["f"]),
    createNode("Gemm", ["f", "fc.w"], ["scores"], { transB: 1 }, { name: "fc" }),
  ],
  weights: { "conv.w": wave([16, 3, 3, 3]), "conv.b": wave([16]), "fc.w": wave([100, 16], 3) },
});

/** As read from a file. */
async function opened(model = small) {
  const bytes = await onnxBytes(model);
  return readOnnx(bytesSource(bytes, "small.onnx"));
}

describe("inspecting a model", () => {
  test("tells the file, the layers, the work and the bytes", async () => {
    const found = await inspect(await opened());
    expect(found.file).toMatchObject({ name: "small.onnx", opsets: { "ai.onnx": 17 }, irVersion: 10, functions: 0 });
    expect(found.inputs).toEqual([{ name: "image", type: "float32", shape: ["N", 3, 8, 8] }]);
    expect(found.totals).toMatchObject({ nodes: 5, parameters: 432 + 16 + 1600, macs: 64 * 432 + 1600 });
    expect(found.layers).toMatchObject([
      {
        name: "conv",
        op: "Conv",
        shape: [1, 16, 8, 8],
        macs: 64 * 432,
        arithmetic: "float32",
        parameters: 448,
        bytes: 1792,
      },
      { name: "fc", op: "Gemm", shape: [1, 100], macs: 1600, parameters: 1600, bytes: 6400 },
    ]);
    expect(found.layers[0].weights.map(({ name, statistics }) => [name, statistics?.count])).toEqual([
      ["conv.w", 432],
      ["conv.b", undefined],
    ]);
    expect(found.size.ledger.reduce((sum, row) => sum + row.bytes, 0)).toBe(found.file.bytes);
    expect(found.operators).toContainEqual({ op: "Conv", domain: "", count: 1, int8Kernels: 1 });
    expect(found.operators).toContainEqual({ op: "Relu", domain: "", count: 1, int8Kernels: 0 });
    // only the large matrix changes: 6,400 bytes to 3,200; to 1,600 and a scale a channel; to 800 and 4.5 bytes a block
    expect(found.wouldWeigh.map(({ bytes }) => found.file.bytes - bytes)).toEqual([
      3200,
      6400 - 1600 - 400,
      6400 - 800 - 225,
    ]);
    expect([found.quantized, found.diagnostics]).toEqual([[], []]);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  test("a quantized model is told by its schemes, its weights by the numbers they stand for", async () => {
    const codes = fromNumbers(
      "int8",
      [64, 64],
      Array.from({ length: 4096 }, (_, i) => (i % 11) - 5),
    );
    const model = modelOf({
      inputs: { x: ["float32", [1, 64]] },
      outputs: ["y"],
      nodes: [
        createNode("Cast", ["w_q"], ["f"], { to: 1 }),
        createNode("Mul", ["f", "s"], ["w_mul"]),
        createNode("MatMul", ["x", "w_mul"], ["y"]),
      ],
      weights: { w_q: codes, s: float32([], [0.5]) },
    });
    const found = await inspect(await opened(model));
    expect(found.quantized).toEqual([
      { scheme: "int8/tensor", weights: 1, parameters: 4096, bitsPerWeight: 8 + 32 / 4096 },
    ]);
    const [{ weights }] = found.layers;
    expect(weights).toMatchObject([
      { name: "w", scheme: "int8/tensor", bytes: 4100, statistics: { min: -2.5, max: 2.5, count: 4096 } },
    ]);
    expect(found.diagnostics.map(({ code }) => code)).toEqual(["lint/decoded-at-load"]);
  });

  test("weights that are no numbers are reported, and the rest is told all the same", async () => {
    const broken = float32(
      [40, 40],
      Array.from({ length: 1600 }, (_, i) => (i === 7 ? Number.NaN : i === 9 ? Number.POSITIVE_INFINITY : 1)),
    );
    const model = modelOf({
      inputs: { x: ["float32", [1, 40]] },
      outputs: ["y"],
      nodes: [createNode("MatMul", ["x", "w"], ["y"])],
      weights: { w: broken },
    });
    const found = await inspect(model);
    expect(found.diagnostics).toMatchObject([
      {
        code: "lint/non-finite",
        level: "warning",
        message: "2 of 1,600 values of w are NaN or infinite",
        at: { tensor: "w" },
      },
    ]);
    expect(found.layers[0].weights[0].statistics).toMatchObject({ nonFinite: 2, max: 1 });
  });

  test("equal weights are found wherever they lie, others are not", async () => {
    const nodes = ["a", "b", "c", "d"].map((name, i) =>
      createNode("MatMul", [i === 0 ? "x" : `h${i - 1}`, name], [`h${i}`]),
    );
    const weights = { a: wave([40, 40]), b: wave([40, 40]), c: wave([40, 40], 2), d: wave([40, 40]) };
    const model = modelOf({ inputs: { x: ["float32", [1, 40]] }, outputs: ["h3"], nodes, weights });
    const found = await inspect(await opened(model));
    expect(found.diagnostics).toMatchObject([
      {
        code: "lint/duplicate-weights",
        message: "3 tensors with the content of a: 12.8 kB stored again",
        at: { tensor: "b" },
      },
    ]);
  });

  test("layers inside a function count as what it unfolds to", async () => {
    const fn = functionOf(
      "Layer",
      ["v", "k"],
      ["o"],
      [createNode("MatMul", ["v", "k"], ["m"]), createNode("Relu", ["m"], ["o"])],
    );
    const model = modelOf({
      inputs: { x: ["float32", [1, 40]] },
      outputs: ["y"],
      functions: [fn],
      nodes: [
        createNode("Layer", ["x", "w"], ["h"], {}, { domain: "local" }),
        createNode("Layer", ["h", "w"], ["y"], {}, { domain: "local" }),
      ],
      weights: { w: wave([40, 40]) },
    });
    const found = await inspect(model);
    expect(found.totals).toMatchObject({ macs: 3200, parameters: 1600 });
    expect(found.layers.map(({ op, weights }) => [op, weights.map(({ name, tied }) => [name, tied])])).toEqual([
      ["MatMul", [["w", true]]],
      ["MatMul", [["w", true]]],
    ]);
  });

  test("an interruption stops it between weights", async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(inspect(small, { signal: stop.signal })).rejects.toMatchObject({ code: "run/interrupted" });
  });
});

describe("an inspection as text", () => {
  test("says what a person wants to know first, and what to do next", async () => {
    const text = inspectText(await inspect(await opened()), { width: 80 });
    expect(text).toMatchInlineSnapshot(`
      "small.onnx
      ONNX, IR 10 · opset 17

      input       image: float32 [N, 3, 8, 8]
      output      scores: float32 [1, 100]

      size        8.48 kB
      parameters  2.05 k in 5 nodes
      work        29.2 k multiply-accumulates for one inference
      memory      13.1 kB modelled: weights 8.19 kB, activations up to 4.86 kB
      would weigh 5.28 kB as float16, 4.08 kB as int8/channel, 3.10 kB as
                  uint4/group:32

      Layers
         stored    MACs        as       outliers
        6.40 kB  1.60 k  Gemm  float32     1.42σ  fc
        1.79 kB  27.6 k  Conv  float32     1.42σ  conv

      operators   Conv 1*, Flatten 1*, Gemm 1*, GlobalAveragePool 1*, Relu 1 (*: has
                  int8 kernels)

      Next:
        lowbit quantize small.onnx -o small.int8.onnx --data <folder>
      "
    `);
  });

  test.each([40, 60, 80, 200])("keeps to %i columns", async (width) => {
    const long = {
      ...small,
      graph: {
        ...small.graph,
        nodes: small.graph.nodes.map((node) => ({
          ...node,
          name: `a/very/long/name/of/a/layer/${node.name}/`.repeat(3),
        })),
      },
    };
    const text = inspectText(await inspect(await opened(long)), { width });
    for (const line of text.split("\n").slice(0, -2)) expect(line.length, line).toBeLessThanOrEqual(width);
  });

  test("colours only when asked, and shows control characters of names as signs", async () => {
    const evil = {
      ...small,
      graph: { ...small.graph, nodes: small.graph.nodes.map((node) => ({ ...node, name: "\u001b[31mred\n" })) },
    };
    const found = await inspect(await opened(evil));
    expect(inspectText(found)).not.toContain("\u001b");
    expect(inspectText(found, { color: true })).toContain("\u001b[1m");
    expect(inspectText(found, { color: true })).not.toContain("\u001b[31m");
  });
});
