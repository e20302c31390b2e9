// Trains the network on rendered images, from random weights to an ONNX model, with lowbit and nothing else.
//
//   npm run train:glyphs                                          → out/glyphs.onnx
//   npm run train:glyphs -- --replace                             also glyphs.onnx and glyphs.json here, if it is as good
//   npm run train:glyphs -- --resume                              goes on where an interrupted training stopped
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { dataFromArrays, evaluateFile, finetune, modelInputs, save } from "lowbit/node";
import { createNetwork, input } from "./network.mjs";
import { idx } from "./render.mjs";
import { renderGlyphs } from "./renderGlyphs.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const out = `${root}out`;
const HELD_OUT = 1000; // images of the training stream after those that are trained on

const { values: flags } = parseArgs({
  options: {
    epochs: { type: "string", default: "8" },
    seed: { type: "string", default: "1" },
    images: { type: "string", default: "20000" },
    target: { type: "string", default: "auto" },
    resume: { type: "boolean", default: false },
    replace: { type: "boolean", default: false },
  },
});
const epochs = Number(flags.epochs);
const seed = Number(flags.seed);
const images = Number(flags.images);
const { size } = input;
const data = { seed: 1, size };

mkdirSync(out, { recursive: true });
const { model, parameters, macs } = createNetwork(seed);
const rendered = renderGlyphs({ ...data, count: images + HELD_OUT, split: "train" });
const test = renderGlyphs({ ...data, count: 2000 });

console.log(`${parameters} parameters, ${images} images of ${size} × ${size}, ${epochs} epochs`);
const controller = new AbortController();
process.once("SIGINT", () => controller.abort());
const checkpoint = `${out}/glyphs.checkpoint`;
const began = performance.now();
let lap = began;
const { model: trained, report } = await finetune(model, {
  data: samples(rendered, 0, images),
  heldOut: samples(rendered, images, images + HELD_OUT),
  normalization: "batch",
  keep: "last", // a cosine ends where it is best; choosing among epochs by 1,000 images would choose luck
  epochs,
  batch: 100,
  optimizer: { name: "adam", weightDecay: 0.01 },
  learningRate: 5e-3,
  schedule: { kind: "cosine", warmupEpochs: Math.min(2, epochs / 4) },
  seed,
  target: flags.target,
  resume: flags.resume,
  checkpoint: {
    load: async () =>
      statSync(checkpoint, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(checkpoint),
    save: async (bytes) => {
      writeFileSync(`${checkpoint}.tmp`, bytes);
      renameSync(`${checkpoint}.tmp`, checkpoint);
    },
  },
  signal: controller.signal,
  onEpoch({ epoch, loss, accuracy, heldOut }) {
    const seconds = (performance.now() - lap) / 1000;
    lap = performance.now();
    console.log(
      `epoch ${epoch}: loss ${loss.toFixed(4)}, ${percent(accuracy)} right; held out ${percent(heldOut?.accuracy ?? null)}; ${seconds.toFixed(0)} s`,
    );
  },
});
rmSync(checkpoint, { force: true });

const file = `${out}/glyphs.onnx`;
await save(trained, file);
const folder = `${out}/glyphs-test`;
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}/test-images-idx3-ubyte.gz`, gzipSync(idx([2000, size, size], test.images)));
writeFileSync(`${folder}/test-labels-idx1-ubyte.gz`, gzipSync(idx([2000], test.labels)));
const { quality } = await evaluateFile(file, { data: `${folder}/test-images-idx3-ubyte.gz`, preprocess: "unit" });
const accuracy = quality?.quantized ?? 0;
const minutes = (performance.now() - began) / 60_000;
console.log(
  `${file}: ${percent(accuracy)} of 2,000 test images, after ${minutes.toFixed(1)} minutes with ${report.runtime}`,
);

const shipped = JSON.parse(readFileSync(new URL("glyphs.json", import.meta.url), "utf8"));
if (flags.replace && accuracy < shipped.accuracy) {
  console.error(`not as good as the shipped model (${percent(shipped.accuracy)}): that one stays`);
  process.exitCode = 1;
} else if (flags.replace) {
  const bytes = readFileSync(file);
  const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  /** @param {"train" | "test" | "calibration"} split @param {number} count */
  const facts = (split, count) => ({ count, imagesSha256: sha256(renderGlyphs({ ...data, count, split }).images) });
  const written = {
    parameters,
    macs,
    bytes: bytes.length,
    sha256: sha256(bytes),
    accuracy,
    training: { epochs, seed, lowbit: version, runtime: report.runtime },
    data: { ...data, train: facts("train", images), test: facts("test", 2000), calibration: facts("calibration", 200) },
  };
  writeFileSync(new URL("glyphs.onnx", import.meta.url), bytes);
  writeFileSync(new URL("glyphs.json", import.meta.url), `${JSON.stringify(written, null, 2)}\n`);
  console.log("examples/glyphs/glyphs.onnx and glyphs.json are replaced");
}

/**
 * Images `from` … `to` as samples: grey levels 0…1.
 * @param {{ images: Uint8Array, labels: Uint8Array }} glyphs @param {number} from @param {number} to
 */
function samples(glyphs, from, to) {
  const area = size * size;
  const pixels = Float32Array.from(glyphs.images.subarray(from * area, to * area), (level) => level / 255);
  /** @type {import("lowbit").Tensor} */
  const image = { type: "float32", dims: [to - from, input.channels, size, size], data: pixels };
  return dataFromArrays(
    { [input.name]: image },
    { inputs: modelInputs(model), labels: [...glyphs.labels.subarray(from, to)] },
  );
}

/** @param {number | null} share */
function percent(share) {
  return share === null ? "–" : `${(100 * share).toFixed(2)} %`;
}

/** @param {Uint8Array} bytes */
function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
