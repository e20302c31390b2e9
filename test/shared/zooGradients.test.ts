/**
 * Every real model can be differentiated, or says what has no gradient: for all its weights at once, run in ONNX Runtime. A step
 * along the gradient changes the loss as the gradient says. Skipped where ../shared is absent.
 */
import { afterAll, describe, expect, test } from "vitest";
import { onnxBytes } from "#formats/onnx/index";
import { appendLoss } from "#grad/appendLoss";
import { differentiate } from "#grad/differentiate";
import type { Model } from "#model/model";
import type { Tensors } from "#model/session";
import { inferShapes } from "#model/shapes";
import { float32, type Tensor, toNumbers } from "#model/tensor";
import { readWeight, weight } from "#model/weights";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { readZooModel, zooFeeds, zooFiles } from "./zooModels";

const ort = nodeRuntimes["ort-node"];
const runnable = (await ort.version()) !== undefined;
afterAll(async () => ort.shutdown());

/** What has no gradient: recurrence, branches, quantization; or no weights of floats, or no output of floats. */
const without: Readonly<Record<string, string>> = {
  "audio/nsnet2.onnx": "GRU",
  "zoo/byte_bidi_lstm_op9.onnx": "LSTM",
  "zoo/crnn_doran_op9.onnx": "LSTM",
  "zoo/dtln_model1_onnxmltools.onnx": "LSTM",
  "zoo/silero_vad_16k_op15.onnx": "If",
  "imagenet/tf2_mobilenet_v2_1.0_224_ptq_qdq.onnx": "DequantizeLinear",
  "mlperf-tiny/mlperf_tiny_ic_resnet8_int8_qdq.onnx": "DequantizeLinear",
  "mlperf-tiny/mlperf_tiny_kws_dscnn_int8_qdq.onnx": "DequantizeLinear",
  "zoo/mnist_dynamic_quant_op11.onnx": "DynamicQuantizeLinear",
};
const noNetwork = /superres_prepost|xgboost|lgbm/;

/** Of what a step along the gradient changes the loss by. */
const tolerance = 0.03;

const run = async (model: Model, feeds: Tensors, fetches: readonly string[]): Promise<Record<string, Tensor>> => {
  const session = await ort.open({ model, bytes: () => onnxBytes(model) }, { memoryBytes: 6 * 2 ** 30 });
  try {
    return await session.run(feeds, fetches);
  } finally {
    await session.close();
  }
};

describe.skipIf(zooFiles.length === 0 || !runnable)("gradients of the zoo (../shared, onnxruntime-node)", () => {
  test.each(zooFiles.filter((file) => !noNetwork.test(file)))(
    "%s",
    async (file) => {
      const model = await readZooModel(file);
      const feeds: Record<string, Tensor> = zooFeeds(file, model);
      const inputShapes = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
      const shapes = await inferShapes(model, { inputShapes });
      const outputs = model.graph.outputs
        .map(({ name }) => name)
        .filter((name) => shapes.get(name)?.element === "float32");
      const terms = outputs.map((of) => ({ weight: 1, loss: { kind: "mse", of } as const }));
      const whole = await appendLoss(model, { kind: "sum", terms }, inputShapes);
      for (const { name, shape } of whole.inputs)
        feeds[name] = float32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
      // scales of a Resize are floats, but no weights
      const scales = new Set(
        model.graph.nodes.filter(({ op }) => /Resize|Upsample/.test(op)).flatMap(({ inputs }) => inputs),
      );
      const refs = [...model.graph.initializers.values()].filter(
        ({ element, name }) => element === "float32" && !scales.has(name),
      );
      const names = refs.map(({ name }) => name);
      const differentiated = differentiate(whole.model, whole.loss, names, inputShapes);
      if (without[file] !== undefined) {
        await expect(differentiated).rejects.toMatchObject({
          code: "model/unsupported-operator",
          message: `no gradient is known of ${without[file]}`,
        });
        return;
      }
      const { model: graph, gradients } = await differentiated;
      const found = await run(graph, feeds, [whole.loss, ...gradients]);
      const loss = toNumbers(found[whole.loss])[0];
      const slopes = gradients.map((name) => toNumbers(found[name]));
      let squares = 0;
      for (const slope of slopes) for (const v of slope) squares += v * v;
      expect(Number.isFinite(squares)).toBe(true);
      if (names.length === 0) return;
      const lossAt = async (by: number): Promise<number> => {
        const initializers = new Map(whole.model.graph.initializers);
        for (const [i, ref] of refs.entries()) {
          const values = toNumbers(await readWeight(ref));
          initializers.set(
            ref.name,
            weight(
              ref.name,
              float32(
                ref.dims,
                Float32Array.from(values, (v, k) => v + by * slopes[i][k]),
              ),
            ),
          );
        }
        const moved = { ...whole.model, graph: { ...whole.model.graph, initializers } };
        return toNumbers((await run(moved, feeds, [whole.loss]))[whole.loss])[0];
      };
      // a long step meets curvature, a short one float32's rounding: of three, one has to be right
      let nearest = Infinity;
      for (const share of [0.02, 0.002, 0.0003]) {
        if (nearest < tolerance) break;
        const step = (share * loss) / squares;
        const ratio = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step * squares);
        if (Number.isFinite(ratio)) nearest = Math.min(nearest, Math.abs(ratio - 1));
      }
      expect(nearest).toBeLessThan(tolerance);
    },
    120_000,
  );
});
