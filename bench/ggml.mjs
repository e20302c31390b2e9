/**
 * How fast ggml's blocks are encoded, in MB of float32 a second on one thread, against ggml's own library and gguf-py, which take
 * turns with us. Runs what `npm run build` made, or what lies in --dist.
 *
 *   LOWBIT_PEER_PYTHON=…/python node bench/ggml.mjs [--types q4_0,q4_k] [--rounds 7] [--dist DIR]
 *
 * Gaussian weights, 1,024 rows of 4,096 (17 MB). Prints a Markdown table: medians, and our speed as a share of theirs.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    types: { type: "string", default: "q4_0,q4_k" },
    rounds: { type: "string", default: "7" },
    dist: { type: "string", default: fileURLToPath(new URL("../dist", import.meta.url)) },
  },
});
const load = (/** @type {string} */ path) => import(pathToFileURL(join(values.dist, path)).href);
/** @type {typeof import("#quant/ggml/codec")} */
const { encodeGgml } = await load("quant/ggml/codec.js");
/** @type {typeof import("#base/rng")} */
const { createRng } = await load("base/rng.js");
/** @type {typeof import("#math/normal")} */
const { normal } = await load("math/normal.js");

const [rows, columns] = [1024, 4096];
const rng = createRng(1);
const x = Float32Array.from({ length: rows * columns }, () => 0.02 * normal(rng));
/** What gguf-py encodes. */
const numpy = new Set(["q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "tq1_0", "tq2_0", "mxfp4"]);

const folder = mkdtempSync(join(tmpdir(), "lowbit-bench-"));
const path = join(folder, "weights.bin");
writeFileSync(path, new Uint8Array(x.buffer));
const peer = spawn(
  process.env.LOWBIT_PEER_PYTHON ?? "python3",
  [fileURLToPath(new URL("peers/time_ggml.py", import.meta.url))],
  { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" } },
);
const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();

try {
  console.log(`${(x.byteLength / 1e6).toFixed(1)} MB, medians of ${values.rounds} rounds, one thread\n`);
  console.log("| type | lowbit MB/s | ggml MB/s | of ggml's speed | gguf-py MB/s | of gguf-py's speed |");
  console.log("|---|--:|--:|--:|--:|--:|");
  for (const type of values.types.split(",")) {
    /** @type {Record<string, number[]>} */
    const seconds = { lowbit: [], ggml: [], ...(numpy.has(type) && { "gguf-py": [] }) };
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const [who, times] of Object.entries(seconds)) {
        const time = who === "lowbit" ? encodeOurs(type) : await encodeTheirs({ who, type, path, columns });
        if (round > 0) times.push(time); // the first warms up
      }
    }
    const [ours, ...peers] = ["lowbit", "ggml", "gguf-py"].map((who) => seconds[who] && speed(seconds[who]));
    const cells = peers.map((theirs) => (theirs ? `${theirs.toFixed(0)} | ${(ours / theirs).toFixed(2)}×` : "– | –"));
    console.log(`| ${type} | ${ours.toFixed(0)} | ${cells.join(" | ")} |`);
  }
} finally {
  peer.stdin.end();
  rmSync(folder, { recursive: true, force: true });
}

/** MB a second. @param {number[]} times */
function speed(times) {
  return x.byteLength / 1e6 / times.sort((a, b) => a - b)[times.length >> 1];
}

/** @param {string} type */
function encodeOurs(type) {
  const start = performance.now();
  encodeGgml(/** @type {import("#quant/ggml/index").GgmlTypeName} */ (type), x, columns);
  return (performance.now() - start) / 1000;
}

/** @param {Record<string, unknown>} request @returns {Promise<number>} */
async function encodeTheirs(request) {
  peer.stdin.write(`${JSON.stringify(request)}\n`);
  const { value, done } = await answers.next();
  if (done === true) throw new Error("the peer's process ended; has LOWBIT_PEER_PYTHON gguf and numpy?");
  return JSON.parse(value);
}
