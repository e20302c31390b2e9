/**
 * The child process that holds onnxruntime-node (see ort/worker.js for what it does). It works in a private scratch
 * directory, which is its working directory; it never outlives its parent, and takes that directory with it.
 *
 * @typedef {import("#runtimes/ort/protocol").Loaded} Loaded
 * @typedef {import("#runtimes/ort/protocol").Open} Open
 * @typedef {import("#runtimes/ort/protocol").Reply} Reply
 * @typedef {import("#runtimes/ort/protocol").Start} Start
 * @typedef {import("#runtimes/types").KernelTime} KernelTime
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";

/** @type {{ serve: (post: (reply: Reply) => void, load: (start: Start) => Promise<Loaded>) => (message: unknown) => Promise<void>, forgetFloat16Array: () => void }} */
const { serve, forgetFloat16Array } = await import(new URL("../ort/worker.js", import.meta.url).href);
const scratch = process.cwd();

// A terminal sends Ctrl-C to the whole group; what to do about it is the parent's decision.
process.on("SIGINT", () => {});
process.on("disconnect", () => {
  rmSync(scratch, { recursive: true, force: true });
  process.exit();
});

// On Linux, when memory runs out after all, the kernel should take this process and not a neighbour.
try {
  writeFileSync("/proc/self/oom_score_adj", "1000");
} catch {
  // not Linux
}

// This thread is blocked while a model loads or runs, so another one watches memory and the parent (watchdog.js).
const limit = new Float64Array(new SharedArrayBuffer(8));
const busy = new Int32Array(new SharedArrayBuffer(4));
const watchdog = new Worker(new URL("./watchdog.js", import.meta.url), {
  workerData: { limit, busy, parent: process.ppid, scratch },
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
    profile: (open, feeds, rounds) => profile(ort, open, feeds, rounds),
  };
}

const handle = serve((reply) => void process.send?.(reply), load);
process.on("message", async (message) => {
  Atomics.store(busy, 0, 1);
  Atomics.notify(busy, 0);
  await handle(message);
  Atomics.store(busy, 0, 0);
});

/**
 * ONNX Runtime writes a Chrome trace when the session ends: one event per kernel, then one "model_run" per run.
 * @param {typeof import("onnxruntime-common")} ort
 * @param {Open} open
 * @param {Readonly<Record<string, unknown>>} feeds
 * @param {number} rounds
 * @returns {Promise<KernelTime[]>}
 */
async function profile(ort, open, feeds, rounds) {
  const warmUps = 2;
  const traced = await ort.InferenceSession.create(/** @type {string} */ (open.model), {
    ...open.options,
    enableProfiling: true,
    profileFilePrefix: `${scratch}/trace`,
  });
  try {
    for (let round = 0; round < rounds + warmUps; round++) {
      await traced.run(/** @type {import("onnxruntime-common").InferenceSession.FeedsType} */ (feeds));
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
