/**
 * The exact k-means codebook against scikit-learn's KMeans(n_init=10), on every Conv, Gemm and MatMul weight of an ONNX model: squared
 * error and time. Tensor by tensor the two take turns, in as many rounds as asked for; ours with one thread, scikit-learn with as
 * many as asked for. Runs what `npm run build` made, or what lies in --dist.
 *
 *   LOWBIT_PEER_PYTHON=…/python node bench/kmeans.mjs MODEL [--clusters 16] [--rounds 7] [--threads 1] [--dist DIR]
 *
 * Prints a Markdown table: medians over rounds of the sums over tensors.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    clusters: { type: "string", default: "16" },
    rounds: { type: "string", default: "7" },
    threads: { type: "string", default: "1" },
    dist: { type: "string", default: fileURLToPath(new URL("../dist", import.meta.url)) },
  },
});
const clusters = Number(values.clusters);
const rounds = Number(values.rounds);
const load = (/** @type {string} */ path) => import(pathToFileURL(join(values.dist, path)).href);
/** @type {typeof import("#formats/onnx/onnxFile.node")} */
const { openOnnxFile } = await load("formats/onnx/onnxFile.node.js");
/** @type {typeof import("#model/weights")} */
const { readWeight } = await load("model/weights.js");
/** @type {typeof import("#quant/quantizers/index")} */
const { quantizeMatrix } = await load("quant/quantizers/index.js");
/** @type {typeof import("#quant/dequantize")} */
const { dequantize } = await load("quant/dequantize.js");
/** @type {typeof import("#base/rng")} */
const { createRng } = await load("base/rng.js");

const folder = mkdtempSync(join(tmpdir(), "lowbit-bench-"));
const peer = spawn(
  process.env.LOWBIT_PEER_PYTHON ?? "python3",
  [fileURLToPath(new URL("peers/sklearn_kmeans.py", import.meta.url))],
  { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, OMP_NUM_THREADS: values.threads } },
);
const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();

try {
  const tensors = await layerWeights(positionals[0]);
  const path = join(folder, "weights.bin");
  writeFileSync(path, Buffer.concat(tensors.map(({ buffer }) => new Uint8Array(buffer))));
  /** @type {{ ours: { seconds: number, error: number }, theirs: { seconds: number, error: number }, worse: number }[]} */
  const results = [];
  // one more at the start, of small tensors only, warms both up
  for (let round = -1; round < rounds; round++) {
    const sum = { ours: { seconds: 0, error: 0 }, theirs: { seconds: 0, error: 0 }, worse: 0 };
    let offset = 0;
    for (const x of tensors) {
      if (round >= 0 || x.length < 20_000) {
        const ours = quantizeOurs(x);
        const theirs = await fitTheirs({ path, offset, count: x.length, clusters, seed: round + 1 });
        for (const key of /** @type {const} */ (["seconds", "error"])) {
          sum.ours[key] += ours[key];
          sum.theirs[key] += theirs[key];
        }
        if (ours.error > theirs.error * (1 + 1e-6)) sum.worse++;
      }
      offset += x.length;
    }
    if (round >= 0) results.push(sum);
  }
  const weights = tensors.reduce((total, { length }) => total + length, 0);
  const median = (/** @type {(sum: typeof results[number]) => number} */ of) =>
    results.map(of).sort((a, b) => a - b)[results.length >> 1];
  console.log(`${tensors.length} tensors, ${weights} weights, ${clusters} values each, medians of ${rounds} rounds\n`);
  console.log("| | squared error | seconds | tensors where it is worse than the other |");
  console.log("|---|--:|--:|--:|");
  const row = (/** @type {"ours" | "theirs"} */ who) =>
    `${median((sum) => sum[who].error).toFixed(6)} | ${median((sum) => sum[who].seconds).toFixed(3)}`;
  console.log(`| scikit-learn KMeans(n_init=10), threads: ${values.threads} | ${row("theirs")} | |`);
  console.log(`| lowbit kmeans:${clusters}, exact | ${row("ours")} | ${median(({ worse }) => worse)} |`);
  const errors = median(({ ours, theirs }) => ours.error / theirs.error);
  console.log(
    `| ratio | ${errors.toFixed(6)} | ${median(({ ours, theirs }) => theirs.seconds / ours.seconds).toFixed(0)}× faster | |`,
  );
} finally {
  peer.stdin.end();
  rmSync(folder, { recursive: true, force: true });
}

/** Second inputs of Conv, Gemm and MatMul that the file holds. @param {string} file @returns {Promise<Float32Array[]>} */
async function layerWeights(file) {
  const { model, close } = await openOnnxFile(file);
  const { nodes, initializers } = model.graph;
  const names = new Set(
    nodes.filter(({ op }) => ["Conv", "Gemm", "MatMul"].includes(op)).map(({ inputs }) => inputs[1]),
  );
  const found = [];
  for (const name of names) {
    const ref = initializers.get(name);
    if (ref === undefined) continue;
    const { data } = await readWeight(ref);
    if (data instanceof Float32Array) found.push(data.slice());
  }
  await close();
  return found;
}

/** @param {Float32Array} x */
function quantizeOurs(x) {
  const start = performance.now();
  const q = quantizeMatrix({ values: x, rows: 1, columns: x.length }, `kmeans:${clusters}`, { rng: createRng(1) });
  const seconds = (performance.now() - start) / 1000;
  const back = dequantize(q);
  return { seconds, error: x.reduce((sum, v, i) => sum + (v - back[i]) ** 2, 0) };
}

/** @param {Record<string, unknown>} request @returns {Promise<{ seconds: number, error: number }>} */
async function fitTheirs(request) {
  peer.stdin.write(`${JSON.stringify(request)}\n`);
  const { value, done } = await answers.next();
  if (done === true) throw new Error("scikit-learn's process ended; is it installed for LOWBIT_PEER_PYTHON?");
  return JSON.parse(value);
}
