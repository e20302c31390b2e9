/**
 * The child process that holds onnxruntime-node (see ort/worker.js for what it does). Its argument is the private scratch
 * directory it works in; it never outlives its parent, and takes that directory with it.
 *
 * @typedef {import("#runtimes/ort/protocol").Loaded} Loaded
 * @typedef {import("#runtimes/ort/protocol").Open} Open
 * @typedef {import("#runtimes/ort/protocol").Reply} Reply
 * @typedef {import("#runtimes/ort/protocol").Start} Start
 * @typedef {import("#model/session").KernelTime} KernelTime
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";
import { Worker } from "node:worker_threads";

/** @type {{ serve: (post: (reply: Reply) => void, load: (start: Start) => Promise<Loaded>) => (message: unknown) => Promise<void>, forgetFloat16Array: () => void }} */
const { serve, forgetFloat16Array } = await import(new URL("../ort/worker.js", import.meta.url).href);
const scratch = process.argv[2];
if (scratch === undefined) throw new Error("this program is started by lowbit, with a directory that it may remove");

// Terminals and service managers signal the whole group; what to do about it is the parent's decision.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});

// On Linux, when memory runs out after all, the kernel should take this process and not a neighbour.
try {
  writeFileSync("/proc/self/oom_score_adj", "1000");
} catch {
  // not Linux
}

// This thread is blocked while a model loads or runs, so another one watches memory and the parent (watchdog.js).
const limit = new Float64Array(new SharedArrayBuffer(8));
const watchdog = new Worker(new URL("./watchdog.js", import.meta.url), {
  workerData: { limit, parent: process.ppid, scratch },
  execArgv: [],
});

/** @returns {Promise<Loaded>} */
async function load() {
  await new Promise((resolve, reject) => watchdog.once("message", resolve).once("error", reject));
  watchdog.unref();
  forgetFloat16Array();
  const ort = (await import("onnxruntime-node")).default;
  return {
    ort,
    version: ort.env.versions.node ?? "",
    occupiedBytes: () => process.memoryUsage.rss(),
    limit: (bytes) => void (limit[0] = bytes),
    profile: (...request) => profile(ort, ...request),
  };
}

const pipe = new Socket({ fd: 3 });
pipe.on("error", () => {}); // "close" follows
pipe.on("close", () => {
  rmSync(scratch, { recursive: true, force: true });
  process.exit();
});

const handle = serve((reply) => {
  const body = serialize(reply);
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(body.byteLength));
  pipe.cork();
  pipe.write(head);
  pipe.write(body);
  pipe.uncork();
}, load);

const head = new DataView(new ArrayBuffer(8));
/** @type {Uint8Array | undefined} */
let body;
/** The memory of the last frame, used again for one of the same size: no tensor of it is needed once it is answered. */
let spare = new Uint8Array(0);
let filled = 0;
pipe.on("data", (chunk) => {
  for (let at = 0; at < chunk.byteLength; ) {
    const target = body ?? new Uint8Array(head.buffer);
    const piece = chunk.subarray(at, at + target.byteLength - filled);
    target.set(piece, filled);
    at += piece.byteLength;
    filled += piece.byteLength;
    if (filled < target.byteLength) return;
    filled = 0;
    if (body === undefined) {
      const length = Number(head.getBigUint64(0, true));
      if (spare.byteLength !== length) spare = new Uint8Array(length);
      body = spare;
    } else {
      body = undefined;
      void handle(deserialize(target));
    }
  }
});

/**
 * ONNX Runtime writes a Chrome trace when the session ends: one event per kernel, then one "model_run" per run.
 * @param {typeof import("onnxruntime-web")} ort
 * @param {Parameters<NonNullable<Loaded["profile"]>>} request
 */
async function profile(ort, ...[open, feeds, warmUps, rounds, tick]) {
  const traced = await ort.InferenceSession.create(/** @type {string} */ (open.model), {
    ...open.options,
    enableProfiling: true,
    profileFilePrefix: `${scratch}/trace`,
  });
  try {
    for (let round = 0; round < rounds + warmUps; round++) {
      await traced.run(feeds);
      tick();
    }
  } finally {
    traced.endProfiling();
    await traced.release();
  }
  // endProfiling does not say where it wrote
  const file = readdirSync(scratch).find((name) => name.startsWith("trace"));
  if (file === undefined) throw new Error("ONNX Runtime wrote no profile");
  const text = readFileSync(`${scratch}/${file}`, "utf8");
  rmSync(`${scratch}/${file}`);
  return kernelTimes(JSON.parse(text), warmUps);
}

/**
 * @typedef {{ cat: string, name: string, dur: number, args: { op_name: string, node_index: string, output_type_shape: Record<string, number[]>[] } }} TraceEvent
 * @param {TraceEvent[]} trace
 * @param {number} warmUps
 * @returns {KernelTime[]}
 */
function kernelTimes(trace, warmUps) {
  /** @type {Map<string, { event: TraceEvent, runs: Map<number, number> }>} */
  const kernels = new Map();
  let run = -warmUps;
  for (const event of trace) {
    if (event.cat === "Session" && event.name === "model_run") run++;
    if (event.cat !== "Node" || !event.name.endsWith("_kernel_time") || run < 0) continue;
    const key = `${event.args.node_index} ${event.name}`;
    const kernel = kernels.get(key) ?? { event, runs: new Map() };
    kernels.set(key, kernel);
    kernel.runs.set(run, (kernel.runs.get(run) ?? 0) + event.dur);
  }
  return [...kernels.values()].map(({ event, runs }) => {
    const [type, shape] = Object.entries(event.args.output_type_shape[0] ?? {})[0] ?? [undefined, []];
    const sorted = [...runs.values()].sort((a, b) => a - b);
    return {
      node: event.name.slice(0, -"_kernel_time".length),
      op: event.args.op_name,
      outputShape: shape,
      outputType: /** @type {KernelTime["outputType"]} */ (
        type === "float" ? "float32" : type === "double" ? "float64" : type
      ),
      medianUs: sorted[sorted.length >> 1],
    };
  });
}
