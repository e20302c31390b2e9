// How long quantizing takes and how much memory: lowbit against ONNX Runtime's own Python quantizer, MobileNetV2, 100 images, one
// thread, decoded inputs from the same .npy file, each run in a process of its own, interleaved. Prints a Markdown table.
//
//   npm run build && LOWBIT_PEER_PYTHON=…/python node bench/quantizeTime.mjs [rounds]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openClassifier } from "./classifierModels.mjs";

const python = process.env.LOWBIT_PEER_PYTHON ?? "python3";
const rounds = Number(process.argv[2] ?? 7);
const folder = mkdtempSync(join(tmpdir(), "lowbit-bench-"));
const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const output = join(folder, "out.onnx");
const one = { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };

try {
  const { path, calibrationFile } = await openClassifier("mobilenet_v2_1.0", folder);
  const peer = (method) =>
    run(python, [here("peers/ort_quantize.py"), path, calibrationFile, output, "--method", method]);
  const ours = (activations, cache) =>
    run(process.execPath, [here("quantizeOnce.mjs"), path, calibrationFile, output, activations, join(folder, cache)]);
  const pairs = [
    ["minmax", "uint8/minmax"],
    ["percentile", "uint8/percentile:99.999"],
    ["entropy", "uint8/entropy"],
    ["(none: mse, our default)", "uint8/mse"],
  ];
  console.log(
    "| ranges | ONNX Runtime | lowbit, cost table known | ratio | lowbit, first model on this host | ratio | ONNX Runtime RSS | lowbit RSS (node + runtime) |",
  );
  console.log("|---|--:|--:|--:|--:|--:|--:|--:|");
  for (const [method, activations] of pairs) {
    const rows = { peer: [], warm: [], cold: [] };
    const compared = method.startsWith("(") ? "minmax" : method;
    ours(activations, "warm");
    for (let round = 0; round < rounds; round++) {
      rows.peer.push(peer(compared));
      rows.warm.push(ours(activations, "warm"));
      rows.cold.push(ours(activations, `cold-${method.length}-${round}`));
    }
    const seconds = (kind) => median(rows[kind].map((row) => row.seconds));
    const ratio = (kind) => median(rows[kind].map((row, i) => row.seconds / rows.peer[i].seconds));
    const rss = (kind, key) => Math.round(median(rows[kind].map((row) => row[key])));
    console.log(
      `| ${method} | ${seconds("peer").toFixed(2)} s | ${seconds("warm").toFixed(2)} s | ${ratio("warm").toFixed(2)}× | ${seconds("cold").toFixed(2)} s | ${ratio("cold").toFixed(2)}× | ${rss("peer", "peakRssMB")} MB | ${rss("cold", "peakRssMB")} MB (${rss("cold", "nodeMB")} + ${rss("cold", "runtimeMB")}) |`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(command, args) {
  const done = spawnSync(command, args, { encoding: "utf8", env: one });
  if (done.status !== 0) throw new Error(`${command} failed: ${done.stderr}`);
  return JSON.parse(done.stdout.trim().split("\n").at(-1));
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
