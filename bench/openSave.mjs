/**
 * Opening and saving a large ONNX file: how long, and how much memory. Runs what `npm run build` made.
 *
 *   node bench/openSave.mjs [megabytes] [--folder DIR]
 *
 * Writes a model of that size (default 2,000 MB: just under protobuf's limit) into a temporary folder, then measures in fresh
 * processes: opening it; opening it and saving it as one file; and with its weights in a second file. Peak memory is the process's
 * own (VmHWM); the floor is a process that only loads the library. The folder is removed.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { folder: { type: "string", default: tmpdir() }, dist: { type: "string" } },
});
const dist = values.dist ?? fileURLToPath(new URL("../dist", import.meta.url));
/** @returns {Promise<typeof import("#formats/onnx/onnxFile.node")>} */
const library = () => import(pathToFileURL(join(dist, "formats/onnx/onnxFile.node.js")).href);

const side = 1024;
const matrixBytes = side * side * 4;

/** A chain of matrix products, each with its own 4 MB of weights, made when asked for. @param {number} layers */
function chain(layers) {
  const none = new Map();
  const content = new Uint8Array(matrixBytes).fill(1);
  const value = (/** @type {string} */ name) =>
    /** @type {const} */ ({
      name,
      type: { kind: "tensor", element: "float32", shape: ["batch", side] },
      doc: "",
      metadata: none,
    });
  const weights = Array.from({ length: layers }, (_, i) => `layer${i}.weight`);
  return {
    irVersion: 8,
    opsets: new Map([["", 17]]),
    graph: {
      name: "chain",
      nodes: weights.map((weight, i) => ({
        name: `MatMul_${i}`,
        op: "MatMul",
        domain: "",
        overload: "",
        inputs: [i === 0 ? "x" : `h${i - 1}`, weight],
        outputs: [`h${i}`],
        attributes: none,
        doc: "",
        metadata: none,
      })),
      inputs: [value("x")],
      outputs: [value(`h${layers - 1}`)],
      initializers: new Map(
        weights.map((name) => [
          name,
          {
            name,
            element: /** @type {const} */ ("float32"),
            dims: [side, side],
            data: /** @type {const} */ ({ kind: "lazy", length: matrixBytes, load: async () => content }),
            doc: "",
            metadata: none,
          },
        ]),
      ),
      values: none,
      doc: "",
      metadata: none,
    },
    functions: [],
    producer: { name: "bench", version: "" },
    domain: "",
    modelVersion: 0,
    doc: "",
    metadata: none,
  };
}

/** What a measuring process does; prints one line of JSON. @type {Record<string, (path: string, out: string) => Promise<void>>} */
const phases = {
  async floor() {
    await library();
    tell({});
  },
  async open(path) {
    const { openOnnxFile } = await library();
    const start = performance.now();
    const used = process.cpuUsage();
    const { model, close } = await openOnnxFile(path);
    const { user, system } = process.cpuUsage(used);
    tell({ ms: performance.now() - start, cpuMs: (user + system) / 1000, weights: model.graph.initializers.size });
    await close();
  },
  save: (path, out) => saveAs(path, out, false),
  external: (path, out) => saveAs(path, out, true),
};

/** @param {string} path @param {string} out @param {boolean} externalData */
async function saveAs(path, out, externalData) {
  const { openOnnxFile, saveOnnxFile } = await library();
  const start = performance.now();
  const { model, close } = await openOnnxFile(path);
  const written = await saveOnnxFile(model, out, { externalData });
  tell({ ms: performance.now() - start, bytes: written.bytes + written.externalBytes });
  await close();
}

/** @param {Record<string, number>} figures */
function tell(figures) {
  process.stdout.write(`${JSON.stringify({ ...figures, rss: process.resourceUsage().maxRSS * 1024 })}\n`);
}

if (positionals[0] === "phase") {
  await phases[positionals[1]](positionals[2], positionals[3]);
} else {
  const folder = mkdtempSync(join(values.folder, "lowbit-bench-"));
  try {
    const path = join(folder, "large.onnx");
    const layers = Math.floor((Number(positionals[0] ?? 2000) * 1e6) / matrixBytes);
    const { saveOnnxFile } = await library();
    const start = performance.now();
    await saveOnnxFile(chain(layers), path, { externalData: false });
    const mega = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
    console.log(
      `${layers} layers, ${mega(statSync(path).size)}, written in ${((performance.now() - start) / 1000).toFixed(1)} s`,
    );
    for (const phase of Object.keys(phases)) {
      const rounds = phase === "open" || phase === "floor" ? 7 : 1;
      const results = Array.from({ length: rounds }, () => {
        const args = [fileURLToPath(import.meta.url), "phase", phase, path, join(folder, "copy.onnx"), "--dist", dist];
        const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
        if (status !== 0) throw new Error(stderr);
        return JSON.parse(stdout);
      });
      const median = (/** @type {string} */ key) => results.map((row) => row[key]).sort((a, b) => a - b)[rounds >> 1];
      const time = median("ms") === undefined ? "" : `${median("ms").toFixed(0)} ms, `;
      const cpu = median("cpuMs") === undefined ? "" : `${median("cpuMs").toFixed(0)} ms of CPU, `;
      console.log(`${phase.padEnd(9)} ${time}${cpu}peak ${mega(median("rss"))} (median of ${rounds})`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
