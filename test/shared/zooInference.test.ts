/** Shape inference, constant folding and the reference runtime on real models, against ONNX Runtime. */
import { afterAll, describe, expect, test } from "vitest";
import { onnxBytes } from "#formats/onnx/index";
import { createNode } from "#model/attributes";
import { foldConstants } from "#model/constantFolding";
import { requireOperators } from "#model/interpreter";
import type { Model, ValueInfo } from "#model/model";
import { findOp } from "#model/ops/index";
import { isConcrete } from "#model/ops/known";
import { inferShapes, type ShapeMap } from "#model/shapes";
import type { Session } from "#model/session";
import { type Tensor, toNumbers } from "#model/tensor";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { createReferenceSession } from "#runtimes/reference/reference";
import { contradiction } from "./sameTensor";
import { readZooModel, zooFeeds, zooFiles } from "./zooModels";

const ort = nodeRuntimes["ort-node"];
afterAll(async () => ort.shutdown());

const open = async (model: Model): Promise<Session> =>
  ort.open({ model, bytes: () => onnxBytes(model) }, { optimize: "none", memoryBytes: 6 * 2 ** 30 });

/** ONNX Runtime does not load these: it needs onnxruntime-extensions for image files. */
const notRun = /superres_prepost/;
/** A tree ensemble has no operators of a network, and gives a sequence of maps. */
const noNetwork = /xgboost/;

/** Multiply-accumulates that the reference runtime does in about a second. */
const affordable = 100_000_000;

/**
 * Largest difference that is rounding, relative to the greatest output: float32 sums in another order; ÷ codes of
 * quantized models flip.
 */
const floatTolerance = 2e-5;
const quantizedTolerance = 0.05;

/**
 * The largest difference of two tensors, relative to the greatest of the second. ONNX Runtime approximates functions to
 * 1e-7.
 */
function error(a: Tensor, b: Tensor): number {
  expect(a.dims).toEqual(b.dims);
  expect(a.type).toBe(b.type);
  const [x, y] = [toNumbers(a), toNumbers(b)];
  let [greatest, worst] = [0.01, 0];
  for (let i = 0; i < y.length; i++) {
    greatest = Math.max(greatest, Math.abs(y[i]));
    worst = Math.max(worst, Math.abs(x[i] - y[i]));
  }
  return worst / greatest;
}

const computed = (model: Model): string[] =>
  model.graph.nodes.flatMap(({ outputs }) => outputs.filter((name) => name !== ""));

/**
 * The model with the dims of every value as outputs, and with the types that were inferred: ONNX Runtime refuses wrong
 * ones.
 */
function instrumented(model: Model, shapes: ShapeMap): Model {
  const none = { doc: "", metadata: new Map<string, string>() };
  const names = computed(model);
  const values = new Map(
    names.map((name): [string, ValueInfo] => {
      const element = shapes.get(name)?.element;
      const type = element && ({ kind: "tensor", element, shape: undefined } as const);
      return [name, { name, type, ...none }];
    }),
  );
  const outputs = new Map(
    model.graph.outputs.map((info) => [info.name, { ...info, type: values.get(info.name)?.type }]),
  );
  for (const name of names) {
    if (shapes.get(name)?.content !== undefined) outputs.set(name, values.get(name) as ValueInfo);
    outputs.set(`${name} dims`, {
      name: `${name} dims`,
      type: { kind: "tensor", element: "int64", shape: [null] },
      ...none,
    });
  }
  const nodes = [...model.graph.nodes, ...names.map((name) => createNode("Shape", [name], [`${name} dims`]))];
  return { ...model, graph: { ...model.graph, nodes, values, outputs: [...outputs.values()] } };
}

/** Multiply-accumulates of one run; undefined where a shape is not known. */
function macsOf(model: Model, shapes: ShapeMap): number | undefined {
  let macs = 0;
  for (const node of model.graph.nodes) {
    const known = (name: string) => (name === "" ? undefined : shapes.get(name));
    const outputs = node.outputs.filter((name) => name !== "").map((name) => shapes.get(name));
    const cost = findOp(node.domain, node.op)?.cost;
    if (cost === undefined) continue;
    if (!outputs.every((output) => output !== undefined && isConcrete(output.shape))) return undefined;
    macs += cost(
      node,
      node.inputs.map(known),
      outputs.map((output) => output as NonNullable<typeof output>),
    ).macs;
  }
  return macs;
}

describe.skipIf(zooFiles.length === 0)("the zoo (skipped where ../shared is absent)", () => {
  const coverage = { values: 0, element: 0, rank: 0, dims: 0, dimsForInput: 0 };
  const runnable = zooFiles.filter((file) => !notRun.test(file) && !noNetwork.test(file));

  test.each(zooFiles)("most values of %s have a known type and rank", async (file) => {
    const model = await readZooModel(file);
    const inputShapes = Object.fromEntries(
      Object.entries(zooFeeds(file, model)).map(([name, { dims }]) => [name, dims]),
    );
    const [open, fixed] = [await inferShapes(model), await inferShapes(model, { inputShapes })];
    const names = computed(model);
    const complete = (shapes: ShapeMap): number =>
      names.filter((name) => shapes.get(name)?.shape?.every((dim) => dim !== null)).length;
    const found = {
      values: names.length,
      element: names.filter((name) => open.get(name)?.element !== undefined).length,
      rank: names.filter((name) => open.get(name)?.shape !== undefined).length,
      dims: complete(open),
      dimsForInput: complete(fixed),
    };
    for (const key of Object.keys(coverage) as (keyof typeof coverage)[]) coverage[key] += found[key];
    expect(found.element / found.values).toBeGreaterThan(0.9);
    expect(found.rank / found.values).toBeGreaterThan(0.7);
  });

  test.each(runnable)("ONNX Runtime contradicts nothing that is inferred of %s", async (file) => {
    const model = await readZooModel(file);
    const shapes = await inferShapes(model);
    const session = await open(instrumented(model, shapes));
    const feeds = zooFeeds(file, model);
    const results = await session.run(feeds);
    await session.close();
    const symbols = new Map<string, number>();
    for (const [name, feed] of Object.entries(feeds))
      expect(contradiction(shapes.get(name), feed, symbols)).toBeUndefined();
    const wrong = computed(model).flatMap((name) => {
      const known = shapes.get(name);
      const dims = [...toNumbers(results[`${name} dims`])];
      // the type was checked when the model was loaded; values are fetched where their content is known
      const actual: Tensor = results[name] ?? { type: known?.element ?? "float32", dims, data: [] };
      const what = contradiction(known && { ...known, value: undefined }, actual, symbols);
      return what === undefined ? [] : [`${name}: ${what}`];
    });
    expect(wrong).toEqual([]);
  });

  test.each(runnable)("%s computes the same with its constants folded", async (file) => {
    const model = await readZooModel(file);
    const folded = await foldConstants(model);
    const count = (of: Model, op: string): number => of.graph.nodes.filter((node) => node.op === op).length;
    expect(folded.graph.nodes.length).toBeLessThanOrEqual(model.graph.nodes.length);
    for (const op of ["Constant", "Identity", "Dropout"]) expect(count(folded, op)).toBe(0);
    for (const op of ["QuantizeLinear", "DequantizeLinear"]) expect(count(folded, op)).toBe(count(model, op));
    const bytes = async (of: Model): Promise<number> => (await onnxBytes(of)).length;
    expect(await bytes(folded)).toBeLessThan(1.02 * (await bytes(model)));
    const feeds = zooFeeds(file, model);
    const [before, after] = [await open(model), await open(folded)];
    const [a, b] = [await after.run(feeds), await before.run(feeds)];
    await Promise.all([before.close(), after.close()]);
    for (const { name } of model.graph.outputs) expect(error(a[name], b[name])).toBeLessThan(floatTolerance);
  });

  test.each([
    ["cifar10/cifar10_resnet20.onnx", 75, /^(Conv|BatchNormalization|Relu|Add|Slice|Pad|AveragePool|Flatten|Gemm)$/],
    ["cifar10/cifar10_resnet56.onnx", 201, /^(Conv|BatchNormalization|Relu|Add|Slice|Pad|AveragePool|Flatten|Gemm)$/],
    ["zoo/ppocr_mobile_v1.1_det_paddle.onnx", 224, /^(?!Constant|Identity|Reshape)/],
    ["zoo/ultraface_rfb320_op9.onnx", 163, /^(?!Constant|Shape|Gather|Unsqueeze)/],
    ["zoo/tfbert_qa_keras2onnx.onnx", 3349, /^(?!Range)/],
  ])("of %s remain at most %d nodes, those that compute", async (file, most, computing) => {
    const { nodes } = (await foldConstants(await readZooModel(file))).graph;
    expect(nodes.length).toBeLessThanOrEqual(most);
    expect(nodes.map(({ op }) => op).filter((op) => !computing.test(op))).toEqual([]);
  });

  test.for(runnable)("the reference runtime agrees with ONNX Runtime on %s", async (file, { skip }) => {
    const model = await readZooModel(file);
    requireOperators(model);
    const feeds = zooFeeds(file, model);
    const inputShapes = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
    const macs = macsOf(model, await inferShapes(model, { inputShapes }));
    skip(macs === undefined || macs > affordable, "too slow by definition");
    const [reference, deployed] = [await createReferenceSession(model), await open(model)];
    const [a, b] = [await reference.run(feeds), await deployed.run(feeds)];
    await deployed.close();
    const quantized = model.graph.nodes.some(({ op }) => /Quantize/.test(op));
    for (const { name } of model.graph.outputs)
      expect(error(a[name], b[name])).toBeLessThan(quantized ? quantizedTolerance : floatTolerance);
  });

  afterAll(() => {
    const { values, ...known } = coverage;
    const share = (count: number): string => `${((100 * count) / values).toFixed(1)}%`;
    const [element, rank, dims, fixed] = Object.values(known).map(share);
    process.stdout.write(
      `zoo: of ${values} values in ${zooFiles.length} models ${element} have a known type, ${rank} a known rank, ` +
        `${dims} known dims or symbols; ${fixed} with the input's shape given\n`,
    );
  });
});
