/**
 * The reference runtime against ONNX Runtime on real models: one run of each, on the same noise. What shape inference
 * says of every value is checked on the way.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { createRng } from "#base/rng";
import { readOnnx } from "#formats/onnx/index";
import type { Model } from "#model/model";
import type { Tensors } from "#model/session";
import { inferShapes } from "#model/shapes";
import { allocate, sizeOf, type Tensor, toNumbers } from "#model/tensor";
import { ortNode } from "#runtimes/ortNode/ortNode.node";
import { createReferenceSession } from "#runtimes/reference/reference";
import { contradiction } from "./sameTensor";

const folder = "../shared/models";

/**
 * Largest difference, relative to the output's greatest number. Both sum the same products; ONNX Runtime in float32.
 */
const relative = 1e-5;
/** ONNX Runtime's sigmoid is a polynomial, off by 8e-8 wherever its result is small. */
const absolute = 2e-7;

interface Run {
  /** Values of the inputs' symbols. */
  readonly symbols?: Readonly<Record<string, number>>;
  /** Whole inputs, or bounds [low, high) of their noise. */
  readonly feeds?: Readonly<
    Record<
      string,
      { readonly dims?: readonly number[]; readonly fill?: number; readonly noise?: readonly [number, number] }
    >
  >;
  /** A looser bound than `relative`. */
  readonly error?: number;
}

/**
 * Of quantized models: where a sum lies on the border of two codes, the two sides may take different ones, and noise is
 * amplified.
 */
const borders = 0.1;

const tokens = (dims: readonly number[], high: number) => ({ dims, noise: [1, high] }) as const;

const runs: Readonly<Record<string, Run>> = {
  "audio/nsnet2.onnx": { symbols: { N: 1, frames: 5 } },
  "cifar10/cifar10_resnet20.onnx": { symbols: { N: 2 } },
  "cifar10/cifar10_resnet56.onnx": { symbols: { N: 1 } },
  "imagenet/mobilenet_v1_0.25_224.onnx": { symbols: { N: 1 } },
  "imagenet/mobilenet_v2_1.0_224_tf.onnx": { symbols: { N: 1 } },
  "imagenet/squeezenet1.1.onnx": { symbols: { N: 1 } },
  "imagenet/tf2_mobilenet_v2_1.0_224_ptq_qdq.onnx": { error: borders },
  "lm/stories260K.onnx": { symbols: { batch: 1, seq: 8 }, feeds: { input_ids: tokens([1, 8], 512) } },
  "mlperf-tiny/mlperf_tiny_ic_resnet8.onnx": { symbols: { N: 2 } },
  "mlperf-tiny/mlperf_tiny_ic_resnet8_int8_qdq.onnx": { error: borders },
  "mlperf-tiny/mlperf_tiny_kws_dscnn.onnx": { symbols: { N: 2 } },
  "mlperf-tiny/mlperf_tiny_kws_dscnn_int8_qdq.onnx": { error: borders },
  "zoo/byte_bidi_lstm_op9.onnx": { symbols: { batch: 1, length: 12 }, feeds: { input: tokens([1, 12], 256) } },
  "zoo/crnn_doran_op9.onnx": { feeds: { seq_lengths: { fill: 8 } } },
  "zoo/deeplabv3_mnv2_dm05_tf2onnx_op9.onnx": {},
  "zoo/dtln_model1_onnxmltools.onnx": {},
  "zoo/fastestdet_op11.onnx": {},
  "zoo/keras_mlp_tf2onnx_op15.onnx": { symbols: { unk__6: 2 } },
  "zoo/lgbm_hummingbird_op9.onnx": { symbols: { batch: 3 } },
  "zoo/melspectrogram_op13.onnx": { symbols: { batch_size: 1, samples: 4000 } },
  "zoo/mnist_cntk_op8.onnx": {},
  "zoo/mnist_dynamic_quant_op11.onnx": { error: borders },
  "zoo/ppocr_mobile_v1.1_det_paddle.onnx": { feeds: { image: { dims: [1, 3, 64, 96] } } },
  "zoo/silero_vad_16k_op15.onnx": { symbols: { batch: 1, sequence: 512 }, feeds: { sr: { fill: 16000 } } },
  "zoo/speech_embedding_tf2onnx_op13.onnx": { symbols: { unk__314: 1 } },
  "zoo/tfbert_qa_keras2onnx.onnx": {
    symbols: { batch_size: 2 },
    feeds: { attention_mask: { fill: 1 }, input_ids: tokens([2, 7], 20), token_type_ids: { fill: 0 } },
  },
  "zoo/tiny_bert_test_op11.onnx": {
    feeds: { input_ids: tokens([1, 8], 100), attention_mask: { dims: [1, 8], fill: 1 } },
  },
  "zoo/ultraface_rfb320_op9.onnx": {},
  "zoo/yunet_n_dynamic_op11.onnx": { symbols: { batch: 1, height: 64, width: 96 } },
};

/** Models that are not run here, and why. */
const left: Readonly<Record<string, string>> = {
  "imagenet/resnet50_v2_stages1-3.onnx": "3.5 billion multiply-accumulates take 9 s",
  "zoo/road_segmentation_adas_0001_tf2onnx.onnx": "takes 14 s",
  "zoo/tbefn_180x320_tf2onnx.onnx": "takes 12 s",
  "zoo/superres_prepost_op18.onnx":
    "needs the custom operators of onnxruntime-extensions, which ONNX Runtime does not have",
  "zoo/xgboost_tree_ensemble.onnx": "a tree ensemble has no definition here",
};

function feedsOf(model: Model, { symbols = {}, feeds = {} }: Run): Tensors {
  const rng = createRng("reference models");
  return Object.fromEntries(
    model.graph.inputs.map(({ name, type }): [string, Tensor] => {
      if (type?.kind !== "tensor" || type.element === undefined) throw new Error(`${name} is no tensor`);
      const wanted = feeds[name];
      const dims =
        wanted?.dims ?? (type.shape ?? []).map((dim) => (typeof dim === "number" ? dim : symbols[dim ?? ""]));
      const whole = !type.element.startsWith("float");
      const [low, high] = wanted?.noise ?? [-1, 1];
      const data = allocate(type.element, sizeOf(dims));
      for (let i = 0; i < data.length; i++) {
        const number = wanted?.fill ?? low + rng.uniform() * (high - low);
        if (data instanceof BigInt64Array) data[i] = BigInt(Math.floor(number));
        else (data as Float32Array)[i] = whole ? Math.floor(number) : number;
      }
      return [name, { type: type.element, dims, data }];
    }),
  );
}

function largestDifference(got: Tensor, want: Tensor): { difference: number; greatest: number } {
  const [a, b] = [toNumbers(got), toNumbers(want)];
  let [difference, greatest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    greatest = Math.max(greatest, Math.abs(b[i]));
    if (a[i] !== b[i])
      difference = Number.isNaN(a[i] - b[i]) ? Number.POSITIVE_INFINITY : Math.max(difference, Math.abs(a[i] - b[i]));
  }
  return { difference, greatest };
}

describe.skipIf(!existsSync(folder))("real models (skipped where ../shared is absent)", () => {
  afterAll(() => ortNode.shutdown());

  test.each(Object.entries(runs))(
    "%s: the reference runtime agrees with ONNX Runtime",
    { timeout: 120_000 },
    async (path, run) => {
      const bytes = readFileSync(`${folder}/${path}`);
      const model = await readOnnx(bytesSource(bytes, path));
      const feeds = feedsOf(model, run);
      const ort = await ortNode.open({ model, bytes: async () => bytes }, { optimize: "none" });
      const wanted = await ort.run(feeds).finally(() => ort.close());
      const values = [...new Set(model.graph.nodes.flatMap((node) => node.outputs))].filter((name) => name !== "");
      const session = await createReferenceSession(model);
      const computed = await session.run(feeds, [...new Set([...session.outputNames, ...values])]);
      for (const [name, want] of Object.entries(wanted)) {
        expect(computed[name].type).toBe(want.type);
        expect(computed[name].dims).toEqual(want.dims);
        const { difference, greatest } = largestDifference(computed[name], want);
        expect(difference, name).toBeLessThanOrEqual((run.error ?? relative) * greatest + absolute);
      }
      const shapes = await inferShapes(model);
      const symbols = new Map<string, number>();
      const wrong = Object.entries({ ...feeds, ...computed }).flatMap(([name, value]) => {
        const what = contradiction(shapes.get(name), value, symbols);
        return what === undefined ? [] : [`${name}: ${what}`];
      });
      expect(wrong).toEqual([]);
    },
  );

  test("every model at hand is run, or left for a reason", () => {
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".onnx"));
    expect(files.sort()).toEqual([...Object.keys(runs), ...Object.keys(left)].sort());
  });
});
