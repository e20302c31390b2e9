import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import type { Model, Node } from "#model/model";
import type { OpenSession, Tensors } from "#model/session";
import { float32, fromNumbers, int64, type Tensor } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { layerQuality } from "#report/layerQuality";
import { functionOf, graphOf, type ModelInit, modelOf } from "../../test/modelBuilder";

const openSession: OpenSession = (model) => createReferenceSession(model);
const data = (...samples: Tensors[]) => ({
  name: "test",
  length: samples.length,
  sample: async (i: number) => ({ id: `${i}`, inputs: samples[i] }),
});
const x = (...values: number[]) => ({ x: float32([1, values.length], values) });
const db = (signal: number, noise: number) => 10 * Math.log10(signal / noise);

const affine = (more: Partial<ModelInit> = {}): Model =>
  modelOf({
    inputs: { x: ["float32", [1, 2]] },
    outputs: ["y"],
    nodes: [
      createNode("MatMul", ["x", "w"], ["h"], {}, { name: "fc1" }),
      createNode("Relu", ["h"], ["r"]),
      createNode("Mul", ["r", "k"], ["y"], {}, { name: "last" }),
    ],
    weights: { w: float32([2, 2], [1, 2, 3, 4]), k: float32([], [2]) },
    ...more,
  });
const worse = affine({ weights: { w: float32([2, 2], [1, 2, 3, 5]), k: float32([], [2]) } });

describe("layer by layer, a quantized model against its float parent", () => {
  test("two numbers a value: signal and noise, summed over the samples", async () => {
    // x·w of [1, 1] is [4, 6] against [4, 7]; of [2, −1] it is [−1, 0] against [−1, −1]
    const { values, layers, samples, missing, diagnostics } = await layerQuality(
      affine(),
      worse,
      data(x(1, 1), x(2, -1)),
      { openSession },
    );
    expect([samples, missing, diagnostics]).toEqual([2, 0, []]);
    expect([...values.values()]).toMatchObject([
      {
        value: "h",
        node: "fc1",
        op: "MatMul",
        signal: 16 + 36 + 1,
        noise: 2,
        sqnrDb: db(53, 2),
        arrivingDb: Number.POSITIVE_INFINITY,
      },
      { value: "r", op: "Relu", signal: 52, noise: 1, sqnrDb: db(52, 1), arrivingDb: db(53, 2), arrivingFrom: "h" },
      { value: "y", node: "last", signal: 208, noise: 4, sqnrDb: db(52, 1), arrivingDb: db(52, 1), arrivingFrom: "r" },
    ]);
    expect([...layers.values()]).toMatchObject([
      { node: "fc1", op: "MatMul", output: "h", answers: false, weightsDb: db(53, 2), at: { value: "h" } },
    ]);
  });

  test("equal models lose nothing", async () => {
    const { values } = await layerQuality(affine(), affine(), data(x(1, 1)), { openSession });
    expect([...values.values()].map(({ sqnrDb }) => sqnrDb)).toEqual([1, 1, 1].map(() => Number.POSITIVE_INFINITY));
  });

  test("in parts, over sessions, it is the same", async () => {
    const run = (chunk: number) => layerQuality(affine(), worse, data(x(1, 1), x(2, -1)), { openSession, chunk });
    expect(await run(1)).toEqual(await run(200));
  });

  test("samples are spread over the data", async () => {
    const seen: number[] = [];
    const many = {
      name: "many",
      length: 10,
      sample: async (i: number) => (seen.push(i), { id: `${i}`, inputs: x(1, 1) }),
    };
    await layerQuality(affine(), worse, many, { openSession, samples: 4 });
    expect(seen).toEqual([0, 2, 5, 7]);
  });

  const parameters = { s: float32([], [0.5]), z: fromNumbers("uint8", [], [0]), one: float32([], [1]) };
  const q = (from: string, to: string, scale = "s"): Node[] => [
    createNode("QuantizeLinear", [from, scale, "z"], [`${to}_q`]),
    createNode("DequantizeLinear", [`${to}_q`, scale, "z"], [to]),
  ];
  const float = modelOf({
    inputs: { x: ["float32", [1, 2]] },
    outputs: ["y"],
    nodes: [
      createNode("MatMul", ["x", "w"], ["h"], {}, { name: "fc" }),
      createNode("Relu", ["h"], ["r"]),
      createNode("MatMul", ["r", "w"], ["y"]),
    ],
    weights: { w: float32([2, 2], [1, 0, 0, 1]) },
  });
  /** As a QDQ writer leaves it: x and r travel as codes, the weight is exact. */
  const qdq = modelOf({
    inputs: { x: ["float32", [1, 2]] },
    outputs: ["y"],
    nodes: [
      ...q("x", "x_dq", "one"),
      createNode("DequantizeLinear", ["w_i8", "one"], ["w_dq"]),
      createNode("MatMul", ["x_dq", "w_dq"], ["h"]),
      createNode("Relu", ["h"], ["r"]),
      ...q("r", "r_dq"),
      createNode("MatMul", ["r_dq", "w_dq"], ["y"]),
    ],
    weights: { ...parameters, w_i8: fromNumbers("int8", [2, 2], [1, 0, 0, 1]) },
  });

  test("a value that only a quantizer reads is compared behind it, and the value before its clamp not at all", async () => {
    // x = [1.4, 200] comes in as [1, 200]; r as [1, 127.5], the last code
    const { values, layers, missing } = await layerQuality(float, qdq, data(x(1.4, 200)), { openSession });
    const clipped = (200 - 127.5) ** 2;
    expect([...values.keys()]).toEqual(["r", "y"]);
    expect(missing).toBe(1);
    const r = values.get("r");
    expect(r?.noise).toBeCloseTo(0.4 ** 2 + clipped, 3);
    // the input's own rounding is what arrives
    expect(r?.arrivingFrom).toBe("x");
    expect(r?.arrivingDb).toBeCloseTo(db(1.96 + 40000, 0.16), 3);
    // the quantizer of r alone, fed the float 1.4 and 200: 1.5 and 127.5
    expect(r?.quantizer?.node).toBe("r_dq_q");
    expect(r?.quantizer?.sqnrDb).toBeCloseTo(db(1.96 + 40000, 0.1 ** 2 + clipped), 3);
    expect(r?.quantizer?.clippedDb).toBeCloseTo(db(1.96 + 40000, (200 - 127.5 - 0.25) ** 2), 3);
    expect(r?.quantizer?.rms).toBeCloseTo(Math.sqrt((1.96 + 40000) / 2), 3);
    const fc = layers.get("h");
    expect(fc).toMatchObject({ node: "fc", at: { value: "r" }, weightsDb: Number.POSITIVE_INFINITY, answers: false });
    expect(layers.get("y")?.answers).toBe(true);
  });

  test("masks of −∞ are left out, and what the quantized model breaks is NaN", async () => {
    const masked = modelOf({
      inputs: { x: ["float32", [1, 2]] },
      outputs: ["y"],
      nodes: [createNode("Add", ["x", "mask"], ["m"]), createNode("Mul", ["x", "k"], ["y"])],
      weights: { mask: float32([1, 2], [0, Number.NEGATIVE_INFINITY]), k: float32([], [1]) },
    });
    const broken = {
      ...masked,
      graph: {
        ...masked.graph,
        initializers: new Map(masked.graph.initializers).set(
          "k",
          modelOf({
            outputs: [],
            nodes: [],
            weights: { k: float32([], [Number.POSITIVE_INFINITY]) },
          }).graph.initializers.get("k")!,
        ),
      },
    };
    const { values } = await layerQuality(masked, broken, data(x(3, 4)), { openSession });
    expect(values.get("m")).toMatchObject({ signal: 9, noise: 0, sqnrDb: Number.POSITIVE_INFINITY });
    expect(values.get("y")?.sqnrDb).toBeNaN();
  });

  test("models of different operator sets, with functions and subgraphs of the same names, run as one", async () => {
    const build = (opset: number, k: number): Model => {
      const twice = functionOf(
        "Twice",
        ["a"],
        ["b"],
        [createNode("Add", ["a", "a"], ["t"]), createNode("Mul", ["t", "k"], ["b"])]
          .slice(0, 1)
          .concat(createNode("Identity", ["t"], ["b"])),
        { opsets: new Map([["", opset]]) },
      );
      const branch = graphOf({
        outputs: ["inner"],
        nodes: [createNode("Mul", ["h", "k"], ["m"]), createNode("Twice", ["m"], ["inner"], {}, { domain: "local" })],
      });
      return modelOf({
        opset,
        inputs: { x: ["float32", [1, 2]], c: ["bool", []] },
        outputs: ["y"],
        functions: [twice],
        nodes: [
          createNode("Add", ["x", "x"], ["h"]),
          createNode("If", ["c"], ["i"], { then_branch: { graph: branch }, else_branch: { graph: branch } }),
          // before opset 13 axes are an attribute
          ...(opset < 13
            ? [createNode("Squeeze", ["i"], ["flat"], { axes: [0] })]
            : [createNode("Squeeze", ["i", "zero"], ["flat"])]),
          createNode("Neg", ["flat"], ["y"]),
        ],
        weights: { k: float32([], [k]), ...(opset < 13 ? {} : { zero: int64([1], [0]) }) },
      });
    };
    const { values, diagnostics } = await layerQuality(
      build(11, 1),
      build(17, 2),
      data({ ...x(1, 2), c: fromNumbers("bool", [], [1]) }),
      { openSession },
    );
    expect(diagnostics).toEqual([]);
    // [2, 4] either way, then ·k doubled
    expect(values.get("h")?.noise).toBe(0);
    expect(values.get("y")).toMatchObject({ signal: 16 + 64, noise: 16 + 64 });
  });

  test("a product that takes its codes as they are is tried on the float model's inputs", async () => {
    const packed = modelOf({
      opset: 21,
      inputs: { x: ["float32", [1, 16]] },
      outputs: ["y"],
      nodes: [
        createNode(
          "MatMulNBits",
          ["x", "q", "s"],
          ["y"],
          { K: 16, N: 1, bits: 8, block_size: 16 },
          { domain: "com.microsoft" },
        ),
      ],
      weights: {
        q: fromNumbers(
          "uint8",
          [1, 1, 16],
          Array.from({ length: 16 }, (_, i) => 128 + i),
        ),
        s: float32([1, 1], [1]),
      },
    });
    const exact = modelOf({
      inputs: { x: ["float32", [1, 16]] },
      outputs: ["y"],
      nodes: [createNode("MatMul", ["x", "w"], ["y"])],
      weights: {
        w: float32(
          [16, 1],
          Array.from({ length: 16 }, (_, i) => i + (i === 3 ? 1 : 0)),
        ),
      },
    });
    const ones = {
      x: float32(
        [1, 16],
        Array.from({ length: 16 }, () => 1),
      ),
    };
    const { layers } = await layerQuality(
      exact,
      {
        ...packed,
        opsets: new Map([
          ["", 21],
          ["com.microsoft", 1],
        ]),
      },
      data(ones),
      { openSession },
    );
    expect(layers.get("y")?.weightsDb).toBeCloseTo(db(121 ** 2, 1), 6);
  });
});

describe("a layer goes with what normalizes, shifts and activates it", () => {
  const weights = {
    w: float32([1, 1, 1, 1], [2]),
    one: float32([1], [1]),
    zero: float32([1], [0]),
    four: float32([1], [4]),
    b: float32([1, 1, 1, 1], [3]),
  };
  const image = { x: float32([1, 1, 1, 2], [1, 2]) };
  const inputs = { x: ["float32", [1, 1, 1, 2]] } as const;
  const float = modelOf({
    inputs,
    outputs: ["y"],
    nodes: [
      createNode("Conv", ["x", "w"], ["c"], {}, { name: "conv" }),
      createNode("BatchNormalization", ["c", "four", "zero", "zero", "one"], ["n"], { epsilon: { float: 0 } }),
      createNode("Add", ["n", "b"], ["s"]),
      createNode("Relu", ["s"], ["r"]),
      createNode("Neg", ["r"], ["y"]),
    ],
    weights,
  });

  test("the quantized convolution has all of it inside, and is tried against what it stands for", async () => {
    // 2·4 + 3 became 9·x + 3: for [1, 2] 12 and 21 against 11 and 19, and 0.5-steps change nothing
    const quantized = modelOf({
      inputs,
      outputs: ["y"],
      nodes: [
        createNode("Conv", ["x", "w9", "b3"], ["r"]),
        createNode("QuantizeLinear", ["r", "half", "z"], ["q"]),
        createNode("DequantizeLinear", ["q", "half", "z"], ["d"]),
        createNode("Neg", ["d"], ["y"]),
      ],
      weights: {
        w9: float32([1, 1, 1, 1], [9]),
        b3: float32([1], [3]),
        half: float32([], [0.5]),
        z: fromNumbers("uint8", [], [0]),
      },
    });
    const { layers, diagnostics } = await layerQuality(float, quantized, data(image), { openSession });
    expect(diagnostics).toEqual([]);
    expect([...layers.values()]).toMatchObject([
      { node: "conv", output: "c", at: { value: "r", noise: 5 }, weightsDb: db(121 + 361, 5) },
    ]);
  });

  test("where the activation is still a node, it is stepped over", async () => {
    const quantized = modelOf({
      inputs,
      outputs: ["y"],
      nodes: [
        createNode("Conv", ["x", "w9", "b3"], ["k"]),
        createNode("Relu", ["k"], ["r"]),
        createNode("Neg", ["r"], ["y"]),
      ],
      weights: { w9: float32([1, 1, 1, 1], [9]), b3: float32([1], [3]) },
    });
    const { layers } = await layerQuality(float, quantized, data(image), { openSession });
    expect(layers.get("c")).toMatchObject({ at: { value: "r" }, weightsDb: db(121 + 361, 5) });
  });

  test("what is looked up in a quantized table is a layer too", async () => {
    const model = (table: Tensor) =>
      modelOf({
        inputs: { ids: ["int64", [2]] },
        outputs: ["y"],
        nodes: [createNode("Gather", ["t", "ids"], ["e"], {}, { name: "embed" }), createNode("Neg", ["e"], ["y"])],
        weights: { t: table },
      });
    const { layers, values } = await layerQuality(
      model(float32([2, 2], [1, 2, 3, 4])),
      model(float32([2, 2], [1, 2, 3, 5])),
      data({ ids: int64([2], [0, 1]) }),
      { openSession },
    );
    expect(layers.get("e")).toMatchObject({ node: "embed", op: "Gather", weightsDb: db(30, 1) });
    expect(values.get("y")).toMatchObject({ arrivingFrom: "e", arrivingDb: db(30, 1) });
  });
});

describe("what cannot be compared is told, not thrown", () => {
  test.each<[string, Model, Model]>([
    [
      "no value of the float model has its name",
      affine(),
      modelOf({ inputs: { x: ["float32", [1, 2]] }, outputs: ["z"], nodes: [createNode("Relu", ["x"], ["z"])] }),
    ],
    [
      "only one of them has an input x2",
      affine(),
      modelOf({ inputs: { x2: ["float32", [1, 2]] }, outputs: ["y"], nodes: [createNode("Relu", ["x2"], ["y"])] }),
    ],
    [
      "input x is float32 in one and float16 in the other",
      affine(),
      modelOf({
        inputs: { x: ["float16", [1, 2]] },
        outputs: ["y"],
        nodes: [createNode("Cast", ["x"], ["y"], { to: 1 })],
      }),
    ],
    [
      "[model/unsupported-operator]",
      affine(),
      affine({
        nodes: [
          createNode("Magic", ["x"], ["m"], {}, { domain: "abc" }),
          createNode("MatMul", ["m", "w"], ["h"]),
          createNode("Mul", ["h", "k"], ["y"]),
        ],
      }),
    ],
    ["[model/opset]", affine({ opset: 6 }), affine()],
  ])("%s", async (why, float, quantized) => {
    const { values, layers, diagnostics } = await layerQuality(float, quantized, data(x(1, 1)), { openSession });
    expect([values.size, layers.size]).toEqual([0, 0]);
    expect(diagnostics).toMatchObject([{ code: "report/layers", level: "warning" }]);
    expect(diagnostics[0].message).toContain(why);
  });

  test("no samples", async () => {
    const { diagnostics } = await layerQuality(affine(), worse, data(), { openSession });
    expect(diagnostics[0].message).toContain("there are no samples");
  });

  test("an interruption stops it", async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(
      layerQuality(affine(), worse, data(x(1, 1)), { openSession, signal: stop.signal }),
    ).rejects.toMatchObject({ code: "run/interrupted" });
  });
});
