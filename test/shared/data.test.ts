/** Real data of ../shared, opened as a user opens it, and fed to the models that were trained on its like. */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { openData } from "#data/openData.node";
import { spread, take } from "#data/spread";
import type { Dataset, ModelInput, Sample } from "#data/types";

const shared = fileURLToPath(new URL("../../../shared/", import.meta.url));
const there = existsSync(shared);
const input = (name: string, dims: ModelInput["dims"], type: ModelInput["type"] = "float32"): ModelInput => ({
  name,
  type,
  dims,
});

interface Answer {
  readonly sample: Sample;
  /** The model's first output. */
  readonly y: Float32Array;
}

/** Runs every sample. */
async function answers(model: string, dataset: Dataset): Promise<Answer[]> {
  const session = await InferenceSession.create(`${shared}models/${model}`, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const all: Answer[] = [];
  for (let i = 0; i < dataset.length; i++) {
    const sample = await dataset.sample(i);
    const feeds = Object.entries(sample.inputs).map(
      ([name, { type, data, dims }]) =>
        [name, new OrtTensor(type as "float32", data as Float32Array, [...dims])] as const,
    );
    const results = await session.run(Object.fromEntries(feeds));
    all.push({ sample, y: results[session.outputNames[0]].data as Float32Array });
  }
  await session.release();
  return all;
}

/** Share of samples whose largest output is their label. */
async function top1(model: string, dataset: Dataset, classOffset = 0): Promise<number> {
  const all = await answers(model, dataset);
  const right = all.filter(({ sample, y }) => {
    const classes = y.subarray(classOffset);
    return classes.indexOf(Math.max(...classes)) === sample.label;
  });
  return right.length / all.length;
}

describe.skipIf(!there)("real data (needs ../shared)", () => {
  const images = `${shared}data/imagenet`;
  const folder = mkdtempSync(join(tmpdir(), "lowbit-shared-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  // MANIFEST.json: 87.2 % and 59.6 % of these 500 as the original photos; the peer's Pillow pipeline on these smaller ones: 86.8, 59.4
  test.each([
    ["imagenet/mobilenet_v2_1.0_224_tf.onnx", "input", "imagenet-tf", 1, 0.868],
    ["imagenet/squeezenet1.1.onnx", "data", "imagenet-torch", 0, 0.594],
  ])(
    "%s is as right on 500 photos as the peer's preprocessing makes it, ± 2 photos",
    async (model, name, preprocess, offset, expected) => {
      const data = await openData(images, { inputs: [input(name, ["N", 3, 224, 224])], preprocess });
      expect([data.kind, data.length, data.labelled, data.classes?.[2]]).toEqual([
        "images",
        500,
        true,
        "great white shark",
      ]);
      expect(Math.abs((await top1(model, data, offset)) - expected)).toBeLessThanOrEqual(0.004 + 1e-9);
    },
    120_000,
  );

  test("a hundred photos spread evenly are the peer's hundred", async () => {
    const data = await openData(images, { inputs: [input("x", ["N", 3, 224, 224])], preprocess: "unit", samples: 100 });
    expect([data.length, (await data.sample(0)).label, (await data.sample(99)).label]).toEqual([100, 0, 998]);
    const labels = await Promise.all(
      spread(500, 100)
        .slice(0, 5)
        .map(async (_, i) => (await data.sample(i)).label),
    );
    expect(labels).toEqual([0, 10, 20, 30, 40]);
  });

  test("CIFAR-10: the folder gives its test images, and ResNet-20 is right on 91.6 % of them", async () => {
    const data = await openData(`${shared}data/cifar10`, { inputs: [input("input", ["N", 3, 32, 32])] });
    expect([data.kind, data.length, data.preprocess?.name]).toEqual(["cifar", 466, "cifar"]);
    // MANIFEST.json: 91.63 % of 932 images, of which these are the first half
    expect(Math.abs((await top1("cifar10/cifar10_resnet20.onnx", data)) - 0.916)).toBeLessThan(0.02);
  });

  test("CIFAR-10 without scaling is what MLPerf's ResNet-8 takes", async () => {
    const data = await openData(`${shared}data/cifar10/test_000-465.bin`, {
      inputs: [input("input_1", ["N", 3, 32, 32])],
      preprocess: "raw",
    });
    expect(Math.abs((await top1("mlperf-tiny/mlperf_tiny_ic_resnet8.onnx", data)) - 0.8777)).toBeLessThan(0.03);
  });

  test("MNIST: the packed files give 5,000 labelled digits; a CNN is right on 98.9 % of a tenth of them", async () => {
    const data = await openData(`${shared}data/mnist`, {
      inputs: [input("Input3", [1, 1, 28, 28])],
      preprocess: "raw",
    });
    expect([data.kind, data.length, data.labelled]).toEqual(["idx", 5000, true]);
    // MANIFEST.json: 98.90 % of 10,000
    expect(await top1("zoo/mnist_cntk_op8.onnx", take(data, spread(5000, 500)))).toBeGreaterThan(0.97);
  });

  test("keyword features: int8 with a description become what DS-CNN takes, right on about 91 %", async () => {
    for (const file of ["kws01_features_i8.bin", "kws01_labels.json"])
      copyFileSync(`${shared}data/kws/${file}`, join(folder, file));
    const description = {
      data: "kws01_features_i8.bin",
      element: "int8",
      shape: [49, 10],
      scale: 0.5847029,
      zeroPoint: 83,
      labels: "kws01_labels.json",
    };
    writeFileSync(join(folder, "kws.json"), JSON.stringify(description));
    const data = await openData(join(folder, "kws.json"), { inputs: [input("input", ["N", 1, 49, 10])] });
    expect([data.kind, data.length, data.classes?.at(-1)]).toEqual(["features", 500, "Unknown"]);
    // MANIFEST.json: 91.3 % of 1,000 clips, of which these are 500
    expect(Math.abs((await top1("mlperf-tiny/mlperf_tiny_kws_dscnn.onnx", data)) - 0.913)).toBeLessThan(0.025);
  });

  test("token ids: stories260K finds the next token of real stories about as likely as it was measured", async () => {
    const data = await openData(`${shared}data/text/tinystories.tok512.json`, {
      inputs: [input("input_ids", ["batch", "seq"], "int64")],
      samples: 12,
    });
    expect([data.kind, data.labelled]).toEqual(["tokens", true]);
    let nll = 0;
    let judged = 0;
    for (const { sample, y } of await answers("lm/stories260K.onnx", data)) {
      const targets = sample.targets ?? [];
      for (const [position, target] of targets.entries()) {
        if (target < 0) continue;
        const row = y.subarray(position * 512, position * 512 + 512);
        const top = Math.max(...row);
        nll += Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - top), 0)) + top - row[target];
        judged++;
      }
    }
    expect(judged).toBeGreaterThan(1000);
    // MANIFEST.json: 1.544 a token on 246 stories
    expect(Math.abs(nll / judged - 1.544)).toBeLessThan(0.25);
  });

  test("NumPy files of another project are fed as they are", async () => {
    const golden = `${shared}data/golden/squeezenet1.1`;
    const data = await openData(`${golden}/0_input_0.npy`, { inputs: [input("data", ["N", 3, 224, 224])] });
    const want = await openData(`${golden}/0_output_0.npy`, { inputs: [input("out", ["N", 1000])] });
    const [{ y }] = await answers("imagenet/squeezenet1.1.onnx", data);
    const stored = (await want.sample(0)).inputs.out.data as Float32Array;
    expect(Math.max(...y.map((value, i) => Math.abs(value - stored[i])))).toBeLessThan(1e-3); // MANIFEST.json: 1e-4
  });

  test("text needs a tokenizer, and audio without a header a description", async () => {
    const tokens = [input("input_ids", ["batch", "seq"], "int64")];
    await expect(openData(`${shared}data/text/wikitext2_valid.txt`, { inputs: tokens })).rejects.toMatchObject({
      code: "data/tokenizer",
    });
    await expect(openData(`${shared}data/kws/audio_240x16000_s16le.bin`, { inputs: tokens })).rejects.toMatchObject({
      code: "data/malformed",
      hint: expect.stringContaining(".json"),
    });
  });
});
