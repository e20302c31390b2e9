// The real classifiers of ../shared with their data, preprocessing and splits, as MANIFEST.json states them.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const { openOnnxFile } = await import("../dist/formats/onnx/onnxFile.node.js");
const { openData } = await import("../dist/data/openData.node.js");
const { modelInputs } = await import("../dist/data/modelInputs.js");
const { splitData } = await import("../dist/verbs/splitData.js");
const { writeNpy } = await import("../dist/data/npy/npy.js");

const shared = fileURLToPath(new URL("../../shared/", import.meta.url));
const imagenet = { data: "data/imagenet", classOffset: 0 };
const cifar = { data: "data/cifar10/test_000-465.bin", preprocess: "cifar", classOffset: 0 };

export const classifiers = {
  "mobilenet_v2_1.0": {
    ...imagenet,
    path: "models/imagenet/mobilenet_v2_1.0_224_tf.onnx",
    preprocess: "imagenet-tf",
    classOffset: 1,
  },
  "squeezenet1.1": { ...imagenet, path: "models/imagenet/squeezenet1.1.onnx", preprocess: "imagenet-torch" },
  "mobilenet_v1_0.25": { ...imagenet, path: "models/imagenet/mobilenet_v1_0.25_224.onnx", preprocess: "imagenet-tf" },
  resnet20: { ...cifar, path: "models/cifar10/cifar10_resnet20.onnx" },
  resnet56: { ...cifar, path: "models/cifar10/cifar10_resnet56.onnx" },
  resnet8: { ...cifar, path: "models/mlperf-tiny/mlperf_tiny_ic_resnet8.onnx", preprocess: "raw" },
  kws_dscnn: { path: "models/mlperf-tiny/mlperf_tiny_kws_dscnn.onnx", classOffset: 0 },
};

/** Model, 100 calibration samples (also as a .npy file for the peer), and all others to judge on. */
export async function openClassifier(name, folder, calibrate = 100) {
  const { path, data, preprocess, classOffset } = classifiers[name];
  const { model } = await openOnnxFile(shared + path);
  const inputs = modelInputs(model);
  const dataset = data === undefined ? keywords(inputs[0].name) : await openData(shared + data, { inputs, preprocess });
  const { calibration, evaluation } = splitData(dataset, calibrate);
  const calibrationFile = join(folder, `${name}.npy`);
  const rows = [];
  for (let i = 0; i < calibration.length; i++) rows.push((await calibration.feeds(i))[inputs[0].name]);
  const values = new Float32Array(rows.length * rows[0].data.length);
  rows.forEach((row, i) => values.set(row.data, i * row.data.length));
  writeFileSync(calibrationFile, writeNpy({ type: "float32", dims: [rows.length, ...rows[0].dims], data: values }));
  return { model, path: shared + path, calibration, evaluation, classOffset, calibrationFile };
}

/** MLPerf Tiny's keyword features: int8 codes of scale 0.5847029 and zero point 83. */
function keywords(input) {
  const codes = new Int8Array(readFileSync(`${shared}data/kws/kws01_features_i8.bin`));
  const { labels } = JSON.parse(readFileSync(`${shared}data/kws/kws01_labels.json`, "utf8"));
  const size = 49 * 10;
  return {
    name: "kws01",
    kind: "features",
    length: codes.length / size,
    labelled: true,
    diagnostics: [],
    async sample(i) {
      const data = Float32Array.from(codes.subarray(i * size, (i + 1) * size), (q) => (q - 83) * 0.5847029);
      return {
        inputs: { [input]: { type: "float32", dims: [1, 1, 49, 10], data } },
        label: labels[i],
        id: `kws01#${i}`,
      };
    },
  };
}
