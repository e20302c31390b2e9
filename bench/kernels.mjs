/**
 * How fast kernels are against the programs people would use instead, on one thread: ONNX Runtime (native and WebAssembly), C with
 * the processor's own vectors, NumPy. Runs what `npm run build` made, or what lies in --dist.
 *
 *   LOWBIT_PEER_PYTHON=…/python node bench/kernels.mjs [--rounds 9] [--only pack4] [--dist DIR]
 *
 * All take turns in one run. Times are of the processor, not of the wall, because machines are shared; a figure is the median of
 * the rounds, a ratio the median of the rounds' own ratios, with its quartiles. 16 M float32 (67 MB), products of 1,024³ numbers
 * and 2,048³ bits. Arrays lie in the kernels' memory, or (streamed) outside it; outputs of ONNX Runtime are allocated beforehand.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    only: { type: "string", default: "" },
    dist: { type: "string", default: fileURLToPath(new URL("../dist", import.meta.url)) },
  },
});
const load = (/** @type {string} */ path) => import(pathToFileURL(join(values.dist, path)).href);
/** @type {typeof import("#kernels/kernels")} */
const { createKernels } = await load("kernels/kernels.js");
/** @type {typeof import("#targets/acceptance/sketch")} */
const { Sketch } = await load("targets/acceptance/sketch.js");
/** @type {typeof import("#formats/onnx/index")} */
const { onnxBytes } = await load("formats/onnx/index.js");
/** @type {typeof import("#model/tensor")} */
const { float32, tensor } = await load("model/tensor.js");

const count = 1 << 24;
const side = 1024;
const bits = 2048;
const folder = mkdtempSync(join(tmpdir(), "lowbit-bench-"));

const kernels = createKernels({ bytes: 7 * count });
const inside = kernels.allocate(Float32Array, count);
for (let i = 0; i < count; i++) inside[i] = Math.sin(i);
const outside = inside.slice();
const codes = { inside: kernels.allocate(Uint8Array, count), outside: new Uint8Array(count) };
const bytes = (/** @type {Uint8Array} */ array) => new Int8Array(array.buffer, array.byteOffset, array.length);
const low = new Float32Array(1);
const high = new Float32Array(1);
const scales = new Float32Array(count / 32);
const one = { scale: Float32Array.of(0.03), zeroPoint: null, run: count, min: -127, max: 127 };
const bytes4 = new Uint8Array(0);
const layout = { k: 4096, n: count / 4096, transposed: true };
const scheme = /** @type {const} */ ({ bits: 4, size: 32, symmetric: true });
const table = Float32Array.from({ length: 16 }, (_, i) => (2 * i - 15) / 16);
const square = { m: side, n: side, k: side };
const [a, b] = [inside.slice(0, side * side), inside.slice(side * side, 2 * side * side)];
const c = new Float32Array(side * side);
const a8 = Int8Array.from(a, (v) => v * 127);
const b7 = Uint8Array.from(b, (v) => (v + 1) * 63);
const c32 = new Int32Array(bits * bits);
const words = Uint32Array.from({ length: (bits * bits) / 32 }, (_, i) => Math.imul(i, 2654435761));

/** Processor time in seconds. */
function timed(/** @type {() => void} */ work) {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

/** A session of one thread that times itself. */
async function session(
  /** @type {"onnxruntime-node" | "onnxruntime-web"} */ name,
  /** @type {InstanceType<typeof Sketch>} */ sketch,
) {
  const ort = await import(name);
  const { model, feeds } = sketch.finish("", 0);
  const opened = await ort.InferenceSession.create(await onnxBytes(model), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionProviders: [name === "onnxruntime-web" ? "wasm" : "cpu"],
  });
  const fed = Object.fromEntries(
    Object.entries(feeds).map(([key, { type, data, dims }]) => [key, new ort.Tensor(type, data, dims)]),
  );
  const [output] = Object.values(await opened.run(fed));
  const fetches = name === "onnxruntime-web" ? undefined : { [opened.outputNames[0]]: output };
  return async () => {
    const start = process.cpuUsage();
    await (fetches === undefined ? opened.run(fed) : opened.run(fed, fetches));
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
}

const quantizeLinear = () => {
  const sketch = new Sketch("quantize");
  const zero = sketch.constant(tensor("int8", [], new Int8Array(1)));
  sketch.output(
    sketch.node("QuantizeLinear", [
      sketch.input(float32([count], outside)),
      sketch.constant(float32([], [0.03])),
      zero,
    ]),
    "int8",
  );
  return sketch;
};
const matMul = () => {
  const sketch = new Sketch("matMul");
  sketch.output(
    sketch.node("MatMul", [sketch.input(float32([side, side], a)), sketch.constant(float32([side, side], b))]),
  );
  return sketch;
};

/** A program that reads names of work and answers with seconds; undefined where it cannot be started. */
function server(/** @type {() => [string, string[]]} */ command) {
  try {
    const [program, args] = command();
    const child = spawn(program, args, {
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
    });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    return {
      ask: async (/** @type {string} */ work) => {
        child.stdin.write(`${work}\n`);
        const { value, done } = await answers.next();
        return done === true ? undefined : Number(value);
      },
      end: () => child.stdin.end(),
    };
  } catch {
    return undefined;
  }
}

const peer = (/** @type {string} */ file) => fileURLToPath(new URL(`peers/${file}`, import.meta.url));
const native = server(() => {
  const program = join(folder, "native");
  const options = ["-O3", "-march=native", "-ffast-math", "-o", program, peer("kernels_native.c")];
  execFileSync(process.env.CC ?? "cc", options, { stdio: "ignore" });
  return [program, [String(count)]];
});
const numpy = server(() => [process.env.LOWBIT_PEER_PYTHON ?? "python3", [peer("kernels_numpy.py"), String(count)]]);
const asks = (/** @type {typeof native} */ to, /** @type {string} */ work) => to && (() => to.ask(work));

const product = 2 * side ** 3;
const sessions = { node: () => session("onnxruntime-node", matMul()), web: () => session("onnxruntime-web", matMul()) };
/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} unit
 * @property {number} amount Bytes read and written, numbers, or operations, of one run.
 * @property {() => void} ours
 * @property {Record<string, { time: (() => Promise<number | undefined>) | undefined, amount?: number, target?: number }>} peers
 */
/** @type {(() => Promise<Row>)[]} */
const rows = [
  async () => ({
    name: "extremes",
    unit: "GB/s",
    amount: 4 * count,
    ours: () => kernels.extremes(inside, count, low, high),
    peers: { C: { time: asks(native, "extremes"), target: 0.9 }, NumPy: { time: asks(numpy, "extremes") } },
  }),
  async () => ({
    name: "extremes, streamed",
    unit: "GB/s",
    amount: 4 * count,
    ours: () => kernels.extremes(outside, count, low, high),
    peers: { C: { time: asks(native, "extremes") } },
  }),
  async () => ({
    name: "int8 quantize",
    unit: "GB/s",
    amount: 5 * count,
    ours: () => kernels.quantizeAffine(inside, one, bytes(codes.inside)),
    peers: {
      "ort-node": { time: await session("onnxruntime-node", quantizeLinear()), target: 1.3 },
      "ort-web": { time: await session("onnxruntime-web", quantizeLinear()) },
      C: { time: asks(native, "quantize8") },
      NumPy: { time: asks(numpy, "quantize8") },
    },
  }),
  async () => ({
    name: "int8 quantize, streamed",
    unit: "GB/s",
    amount: 5 * count,
    ours: () => kernels.quantizeAffine(outside, one, bytes(codes.outside)),
    peers: { "ort-node": { time: await session("onnxruntime-node", quantizeLinear()) } },
  }),
  async () => ({
    name: "pack4",
    unit: "GB/s",
    amount: 4 * count + count / 2 + count / 8,
    ours: () =>
      kernels.quantizeBlocks(inside, layout, scheme, {
        codes: codes.inside.subarray(0, count / 2),
        scales,
        zeros: bytes4,
      }),
    peers: {
      C: { time: asks(native, "pack4"), target: 0.55 },
      NumPy: { time: asks(numpy, "pack4"), target: 20 },
    },
  }),
  async () => ({
    name: "pack4, streamed",
    unit: "GB/s",
    amount: 4 * count + count / 2 + count / 8,
    ours: () =>
      kernels.quantizeBlocks(outside, layout, scheme, {
        codes: codes.outside.subarray(0, count / 2),
        scales,
        zeros: bytes4,
      }),
    peers: { C: { time: asks(native, "pack4") }, NumPy: { time: asks(numpy, "pack4") } },
  }),
  async () => ({
    name: "nearest of 16",
    unit: "Gelem/s",
    amount: count,
    ours: () => kernels.encodeNearest(inside, table, codes.inside),
    peers: { C: { time: asks(native, "nearest16"), target: 0.35 }, NumPy: { time: asks(numpy, "nearest16") } },
  }),
  async () => ({
    name: "float32 product",
    unit: "GOP/s",
    amount: product,
    ours: () => kernels.gemmFloat32(square, a, b, c),
    peers: {
      "ort-web": { time: await sessions.web(), target: 1.5 },
      "ort-node": { time: await sessions.node(), target: 0.23 },
    },
  }),
  async () => ({
    name: "int8 by 7-bit product",
    unit: "GOP/s",
    amount: product,
    ours: () => kernels.gemmInt8x7(square, a8, b7, c32),
    peers: { "ort-node float32": { time: await sessions.node() } },
  }),
  async () => ({
    name: "1-bit product",
    unit: "GOP/s",
    amount: 2 * bits ** 3,
    ours: () => kernels.gemmBits({ m: bits, n: bits, k: bits / 32 }, words, words, c32),
    peers: { "ort-node float32": { time: await sessions.node(), amount: product, target: 1.8 } },
  }),
];

/** @param {readonly number[]} sorted @param {number} share */
const at = (sorted, share) => sorted[Math.round((sorted.length - 1) * share)];
const ascending = (/** @type {number[]} */ list) => [...list].sort((p, q) => p - q);

try {
  console.log(`Node ${process.versions.node}, ${kernels.variant}; medians of ${values.rounds} rounds, one thread\n`);
  console.log("| kernel | ours | peer | peer's | ours / peer's (quartiles) | wanted |");
  console.log("|---|--:|---|--:|--:|--:|");
  for (const make of rows) {
    const { name, unit, amount, ours, peers } = await make();
    if (!name.includes(values.only)) continue;
    /** @type {number[]} */
    const own = [];
    /** @type {Record<string, number[]>} */
    const theirs = Object.fromEntries(Object.keys(peers).map((key) => [key, []]));
    for (let round = -2; round < Number(values.rounds); round++) {
      const mine = timed(ours);
      if (round >= 0) own.push(mine);
      for (const [key, { time }] of Object.entries(peers)) {
        const seconds = await time?.();
        if (round >= 0 && seconds !== undefined && seconds > 0) theirs[key].push(seconds);
      }
    }
    const rate = (/** @type {number[]} */ seconds, work = amount) => work / 1e9 / at(ascending(seconds), 0.5);
    for (const [key, { amount: work = amount, target }] of Object.entries(peers)) {
      const seconds = theirs[key];
      const first = `| ${name} | ${rate(own).toFixed(1)} ${unit} | ${key} |`;
      const wanted = target === undefined ? "" : `≥ ${target}`;
      if (seconds.length < own.length) {
        console.log(`${first} – | – | ${wanted} |`);
        continue;
      }
      const ratios = ascending(own.map((mine, i) => amount / mine / (work / seconds[i])));
      const [q1, median, q3] = [0.25, 0.5, 0.75].map((share) => at(ratios, share).toFixed(2));
      console.log(`${first} ${rate(seconds, work).toFixed(1)} | ${median} (${q1}–${q3}) | ${wanted} |`);
    }
  }
} finally {
  native?.end();
  numpy?.end();
  rmSync(folder, { recursive: true, force: true });
}
