import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import type { Model, Node } from "#model/model";
import { float32, fromNumbers, type Tensor } from "#model/tensor";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { fitAffine, encodeAffine } from "#quant/affine";
import type { Granularity } from "#quant/granularity";
import { summarize } from "#quant/summary";
import { createReferenceSession } from "#runtimes/reference/reference";
import { causeOf, explainLayers } from "#report/causes";
import { layerQuality, type ValueQuality, type WeightedLayer } from "#report/layerQuality";
import { statisticsOf } from "#report/weightStatistics";
import { modelOf } from "../../test/modelBuilder";

const inf = Number.POSITIVE_INFINITY;

/** A layer as measured. */
function layer(at: Partial<ValueQuality>, more: Partial<WeightedLayer> = {}): WeightedLayer {
  return {
    node: "fc",
    op: "MatMul",
    output: "h",
    answers: false,
    weightsDb: 60,
    at: { value: "h", node: "fc", op: "MatMul", signal: 1, noise: 1, sqnrDb: 10, arrivingDb: inf, ...at },
    ...more,
  };
}

const quantizer = (sqnrDb: number, clippedDb = inf) => ({ node: "h_q", sqnrDb, clippedDb, rms: 1 });

describe("the cause of a layer's loss", () => {
  test("is the largest part of its noise", () => {
    expect(causeOf(layer({ sqnrDb: inf }))).toBeUndefined();
    expect(causeOf(layer({ sqnrDb: Number.NaN }))?.cause).toBe("non-finite");
    expect(causeOf(layer({ sqnrDb: Number.NaN, arrivingDb: Number.NaN }))?.cause).toBe("inherited");
    expect(causeOf(layer({ arrivingDb: 11 }))?.cause).toBe("inherited");
    expect(causeOf(layer({ arrivingDb: 25 }))?.cause).toBe("amplified");
    expect(causeOf(layer({ arrivingDb: inf }))).toBeUndefined();
    expect(causeOf(layer({ quantizer: quantizer(10.5) }))?.cause).toBe("outlier-range");
    expect(causeOf(layer({}, { weightsDb: 10.5 }))?.cause).toBe("narrow-bits");
  });

  test.each([
    ["per-tensor-spread", { scheme: "int8/tensor", channelSpread: 20, outlierSigmas: 30 }, "--weights int8/channel"],
    ["outlier-range", { scheme: "int8/channel", channelSpread: 20, outlierSigmas: 30 }, "--keep fc"],
    ["outlier-range", { scheme: "uint4/group:128", channelSpread: 1, outlierSigmas: 30 }, "--weights uint4/group:16"],
    ["outlier-range", { scheme: "int4/channel", channelSpread: 1, outlierSigmas: 30 }, "--weights int4/group:32"],
    ["narrow-bits", { scheme: "int4/group:16", channelSpread: 1, outlierSigmas: 5 }, "--weights int8/channel"],
    ["narrow-bits", { scheme: "int8/channel", channelSpread: 1, outlierSigmas: 5 }, "--keep fc"],
    ["outlier-range", { scheme: "kmeans:16", channelSpread: 1, outlierSigmas: 30 }, "--weights kmeans:16/group:32"],
    ["outlier-range", { scheme: "gguf:q4_0", channelSpread: 1, outlierSigmas: 30 }, "--weights int8/channel"],
    ["narrow-bits", { scheme: "vq:4x256", channelSpread: 1, outlierSigmas: 5 }, "--weights int8/channel"],
  ])("weights: %s of %o", (cause, weights, flag) => {
    const found = causeOf(layer({}, { weightsDb: 11 }), { weights });
    expect(found?.cause).toBe(cause);
    expect(found?.fix).toContain(flag);
  });

  test("the result's quantizer: clipped, stretched, too coarse, or the answer itself", () => {
    const clipped = layer({ quantizer: quantizer(10, 11) });
    expect(causeOf(clipped)).toMatchObject({ cause: "saturation", fix: expect.stringContaining("--calibrate 200") });
    expect(causeOf(clipped, { activations: "uint8/asymmetric/percentile:99" })?.fix).toContain(
      "--activations uint8/minmax",
    );
    const rounded = layer({ quantizer: quantizer(10, 40) });
    expect(causeOf(rounded)).toMatchObject({
      cause: "outlier-range",
      fix: expect.stringContaining("--activations uint8/percentile:99.99"),
    });
    expect(causeOf(rounded, { activations: "uint8/percentile:99.99" })?.fix).toContain("--activations uint8/mse");
    // 15 steps over 8 root mean squares
    expect(causeOf(layer({ sqnrDb: 16, quantizer: quantizer(16.2) }), { activations: "uint4" })?.cause).toBe(
      "narrow-bits",
    );
    expect(causeOf({ ...rounded, answers: true })).toMatchObject({
      cause: "hard-output",
      fix: "keep it in float: --keep fc",
    });
  });

  test("no range serves values whose outliers are the signal", () => {
    const heavy = summarize(
      Float32Array.from({ length: 10_000 }, (_, i) => (i % 100 === 0 ? 1000 : i % 2)),
      true,
    );
    const light = summarize(
      Float32Array.from({ length: 200_000 }, (_, i) => (i === 0 ? 12 : Math.sin(i) * 2)),
      true,
    );
    const facts = (summary: typeof heavy) => ({ activations: "uint8", summary });
    expect(causeOf(layer({ quantizer: quantizer(10, 40) }), facts(heavy))?.cause).toBe("unquantizable");
    expect(causeOf(layer({ quantizer: quantizer(10, 40) }), { ...facts(light), activations: "uint4" })?.cause).toBe(
      "outlier-range",
    );
  });
});

/** Values of a Gauss distribution. */
function gauss(count: number, seed: string): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: count }, () => normal(rng));
}

interface Planted {
  readonly weights?: Float32Array;
  readonly granularity?: Granularity;
  /** Range that the first layer's result is quantized to. */
  readonly range?: readonly [number, number];
  readonly input?: Float32Array;
}

const size = 32;

/** Two products; the first layer's weights and result are quantized as told, the second's not. */
function planted({
  weights = gauss(size * size, "w"),
  granularity = { per: "channel", axis: 1 },
  range = [-40, 40],
  input = gauss(size * 64, "x"),
}: Planted) {
  const dims = [size, size];
  const decoding = fitAffine(weights, dims, "int8", granularity, { symmetric: true });
  const codes = fromNumbers("int8", dims, encodeAffine(weights, dims, decoding, { symmetric: true }));
  const scale = float32(decoding.scale.length === 1 ? [] : [decoding.scale.length], decoding.scale);
  const step = Math.fround((range[1] - range[0]) / 255);
  const second = float32(dims, gauss(size * size, "second"));
  const model = (nodes: readonly Node[], all: Record<string, Tensor>): Model =>
    modelOf({ inputs: { x: ["float32", [64, size]] }, outputs: ["y", "sum"], nodes, weights: { ...all, second } });
  const rest = (h: string) => [
    createNode("MatMul", [h, "second"], ["y0"], {}, { name: "next" }),
    createNode("Mul", ["y0", "y0"], ["y"]),
    createNode("ReduceSum", ["y"], ["sum"], { keepdims: 0 }),
  ];
  const float = model([createNode("MatMul", ["x", "w"], ["h"], {}, { name: "first" }), ...rest("h")], {
    w: float32(dims, weights),
  });
  const quantized = model(
    [
      createNode("DequantizeLinear", ["w_q", "w_s"], ["w_dq"], granularity.per === "channel" ? { axis: 1 } : {}),
      createNode("MatMul", ["x", "w_dq"], ["h"]),
      createNode("QuantizeLinear", ["h", "h_s", "h_z"], ["h_q"]),
      createNode("DequantizeLinear", ["h_q", "h_s", "h_z"], ["h_dq"]),
      ...rest("h_dq"),
    ],
    {
      w_q: codes,
      w_s: scale,
      h_s: float32([], [step]),
      h_z: fromNumbers("uint8", [], [Number((-range[0] / step).toFixed(0))]),
    },
  );
  const data = {
    name: "planted",
    length: 1,
    sample: async () => ({ id: "0", inputs: { x: float32([64, size], input) } }),
  };
  return { weights, float, quantized, data, scheme: `int8/${granularity.per}` };
}

async function explain(what: Planted) {
  const { weights, float, quantized, data, scheme } = planted(what);
  const quality = await layerQuality(float, quantized, data, { openSession: (model) => createReferenceSession(model) });
  expect(quality.diagnostics).toEqual([]);
  const statistics = await statisticsOf([weights], [size, size], { axis: 1 });
  const found = explainLayers(
    quality,
    ({ node }) => (node === "first" ? { weights: { ...statistics, scheme } } : {}),
    100,
  );
  return { first: found.get("h"), next: found.get("y0"), db: quality.layers.get("h")?.at.sqnrDb };
}

test("what an input's own rounding does is told as that, and followed through layers that only hand it on", () => {
  const at = (value: string, arrivingFrom: string, sqnrDb: number, arrivingDb: number): ValueQuality => ({
    value,
    node: value,
    op: "Conv",
    signal: 1,
    noise: 1,
    sqnrDb,
    arrivingDb,
    arrivingFrom,
  });
  const values = [at("a", "image", 12, 12.5), at("b", "a", 11, 12), at("c", "b", 4, 11), at("d", "c", 4, 4)];
  const layers = values.map((value): [string, WeightedLayer] => [
    value.value,
    layer(value, { node: value.value, output: value.value }),
  ]);
  const found = explainLayers(
    { values: new Map(values.map((value) => [value.value, value])), layers: new Map(layers) },
    ({ node }) => ({ name: `layer ${node}` }),
  );
  expect([...found].map(([output, { cause, fix }]) => [output, cause, fix])).toEqual([
    ["a", "inherited", "the rounding of the model's input image is what it hands on; to spare it, --keep layer a"],
    ["b", "inherited", "the rounding of the model's input image is what it hands on; to spare it, --keep layer b"],
    ["c", "amplified", "compute it, and so what it reads, in float: --keep layer c"],
    ["d", "inherited", "mend layer c first: the error comes from there"],
  ]);
});

describe("planted causes are found", () => {
  test("channels of very different ranges under one scale", async () => {
    // one large weight, on an input that is always 0: it sets the scale of all and is never seen
    const weights = gauss(size * size, "w").map((value, i) => (i === 5 ? 300 : value / 4));
    const input = gauss(size * 64, "x").map((value, i) => (i % size === 0 ? 0 : value));
    const tensor = await explain({ weights, granularity: { per: "tensor" }, input, range: [-8, 8] });
    expect(tensor.first).toEqual({
      cause: "per-tensor-spread",
      fix: "give each channel its own scale: --weights int8/channel",
    });
    expect(tensor.next?.cause).toBe("inherited");
    // and the fix it names mends it
    const channel = await explain({ weights, granularity: { per: "channel", axis: 1 }, input, range: [-8, 8] });
    expect(tensor.db).toBeLessThan(5);
    expect(channel.db).toBeGreaterThan(15);
  });

  test("a range that clips", async () => {
    const { first, next } = await explain({ range: [-4, 4] });
    expect(first?.cause).toBe("saturation");
    expect(next).toEqual({ cause: "inherited", fix: "mend first first: the error comes from there" });
  });

  test("a range that a few values stretch", async () => {
    const { first, next } = await explain({ range: [-3000, 3000] });
    expect(first).toMatchObject({
      cause: "outlier-range",
      fix: expect.stringContaining("--activations uint8/percentile:99.99"),
    });
    expect(next?.cause).toBe("inherited");
  });

  test("weights and range that fit lose little, and then bits are what is missing", async () => {
    const { first, db } = await explain({ range: [-25, 25] });
    expect(db).toBeGreaterThan(35);
    expect(first?.cause).toBe("narrow-bits");
  });
});
