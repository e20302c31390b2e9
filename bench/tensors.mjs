/**
 * Quantizing a large safetensors file: how long, how much memory, and how that compares with copying it. Runs what `npm run build` made.
 *
 *   node bench/tensors.mjs [gigabytes] [scheme…] [--folder DIR]
 *
 * Writes a file of that size (default 4 GB: float32 matrices of 4,096 × 4,096, normally distributed) into a temporary folder, then
 * quantizes it in fresh processes to each scheme (default int4/group:32). Between them the file is copied in pieces of 4 MB, and
 * forced to disk, as the quantized one is. Peak memory is the process's own (VmHWM). The folder is removed.
 */
import { spawnSync } from "node:child_process";
import { open } from "node:fs/promises";
import { mkdtempSync, rmSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: "string", default: tmpdir() },
    dist: { type: "string" },
    rounds: { type: "string", default: "1" },
  },
});
const dist = values.dist ?? fileURLToPath(new URL("../dist", import.meta.url));
/** @param {string} path */
const own = (path) => import(pathToFileURL(join(dist, path)).href);

const side = 4096;
const matrixBytes = side * side * 4;
const pieceBytes = 4 * 2 ** 20;

/** @param {string} path @param {number} count */
async function writeWeights(path, count) {
  const [{ saveTensors }, { storageOf }, { nodeFileSystem }, { createRng }, { normal }] = await Promise.all([
    own("verbs/tensorFiles.node.js"),
    own("model/tensorFile.js"),
    own("base/fileSystem.node.js"),
    own("base/rng.js"),
    own("math/normal.js"),
  ]);
  const rng = createRng(1);
  const noise = Float32Array.from({ length: side * side }, () => normal(rng) * 0.02);
  const bytes = new Uint8Array(noise.buffer);
  const data = {
    name: "noise",
    size: matrixBytes,
    read: async (/** @type {number} */ offset, /** @type {number} */ length) => bytes.subarray(offset, offset + length),
  };
  const tensors = Array.from({ length: count }, (_, i) => ({
    name: `model.layers.${i}.weight`,
    type: storageOf("float32"),
    shape: [side, side],
    data,
  }));
  await saveTensors({ format: "safetensors", metadata: new Map(), tensors }, path, nodeFileSystem);
}

/** Seconds. @param {string} from @param {string} to */
async function copy(from, to) {
  const start = performance.now();
  const input = await open(from, "r");
  const output = await open(to, "w");
  const piece = new Uint8Array(pieceBytes);
  for (;;) {
    const { bytesRead } = await input.read(piece, 0, pieceBytes);
    if (bytesRead === 0) break;
    await output.write(piece, 0, bytesRead);
  }
  await output.sync();
  await input.close();
  await output.close();
  const seconds = (performance.now() - start) / 1000;
  rmSync(to);
  return seconds;
}

if (positionals[0] === "quantize") {
  const [, path, out, scheme] = positionals;
  const { quantizeTensorFile } = await own("node.js");
  const start = performance.now();
  const { output } = await quantizeTensorFile(path, out, { weights: scheme });
  const seconds = (performance.now() - start) / 1000;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const figures = { seconds, cpu: (userCPUTime + systemCPUTime) / 1e6, rss: maxRSS * 1024, bytes: output.bytes };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  const folder = mkdtempSync(join(values.folder, "lowbit-bench-"));
  try {
    const wanted = Number(positionals[0] ?? 4) * 1e9;
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize < 2.5 * wanted)
      throw new Error(`${folder} has ${(bavail * bsize) / 1e9} GB; ${(2.5 * wanted) / 1e9} are needed`);
    const path = join(folder, "large.safetensors");
    await writeWeights(path, Math.round(wanted / matrixBytes));
    const { size } = statSync(path);
    const schemes = positionals.length > 1 ? positionals.slice(1) : ["int4/group:32"];
    const median = (/** @type {number[]} */ all) => all.sort((a, b) => a - b)[all.length >> 1];
    for (const scheme of schemes) {
      const out = join(folder, `small.${scheme.startsWith("gguf:") ? "gguf" : "safetensors"}`);
      const rounds = Array.from({ length: Number(values.rounds) });
      const copies = [];
      const results = [];
      for (const _ of rounds) {
        copies.push(await copy(path, join(folder, "copy")));
        const args = [fileURLToPath(import.meta.url), "quantize", path, out, scheme, "--dist", dist];
        const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
        if (status !== 0) throw new Error(stderr);
        results.push(JSON.parse(stdout));
      }
      const copied = median(copies);
      const seconds = median(results.map((result) => result.seconds));
      const rate = (/** @type {number} */ s) => `${(size / 1e6 / s).toFixed(0)} MB/s`;
      console.log(
        `${scheme.padEnd(16)} ${(size / 1e9).toFixed(2)} GB → ${(results[0].bytes / 1e9).toFixed(2)} GB in ${seconds.toFixed(1)} s (${median(results.map((result) => result.cpu)).toFixed(1)} s of CPU), ${rate(seconds)}; ` +
          `copying ${copied.toFixed(1)} s, ${rate(copied)}: ${(seconds / copied).toFixed(2)}× as long; ` +
          `peak ${(Math.max(...results.map((result) => result.rss)) / 1e6).toFixed(0)} MB (median of ${results.length})`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
