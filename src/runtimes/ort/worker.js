/**
 * The program that holds ONNX Runtime, apart from ours: its `run` blocks the thread it is called on, and a hostile model
 * may never come back. In a worker (of the browser or of Node) this file starts itself with onnxruntime-web; in a child
 * process ortNode/child.js imports `serve` and brings onnxruntime-node. Messages are described in protocol.ts.
 *
 * @typedef {import("#runtimes/ort/protocol").Loaded} Loaded
 * @typedef {import("#runtimes/ort/protocol").Message} Message
 * @typedef {import("#runtimes/ort/protocol").Open} Open
 * @typedef {import("#runtimes/ort/protocol").Reply} Reply
 * @typedef {import("#runtimes/ort/protocol").Start} Start
 * @typedef {import("#model/session").Tensors} Tensors
 */

const nodeThreads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
/** Rounds before those that count: the first allocates, the second finds warm caches. */
/** What goes wrong in a run is answered, and not printed as well: fatal is ONNX Runtime's level 4. */
const quiet = { logSeverityLevel: /** @type {const} */ (4) };

const warmUps = 2;
/** A sign of life at most this often, in milliseconds; sent between rounds, never inside one. */
const tickMs = 200;

/**
 * Answers requests, one at a time, with one session at a time.
 * @param {(reply: Reply, transfer?: ArrayBuffer[]) => void} post
 * @param {(start: Start) => Promise<Loaded>} load
 * @returns {(message: Message) => Promise<void>}
 */
export function serve(post, load) {
  /** @type {Loaded} */
  let loaded;
  /** @type {Open} */
  let opened;
  /** @type {import("onnxruntime-web").InferenceSession | undefined} */
  let session;
  /** Outputs that are inputs of the next step, by input. */
  /** @type {Record<string, import("onnxruntime-web").OnnxValue>} */
  let kept = {};

  /** @param {Tensors} feeds */
  const tensors = (feeds) =>
    Object.fromEntries(
      Object.entries(feeds).map(([name, { type, data, dims }]) => [
        name,
        new loaded.ort.Tensor(/** @type {"float32"} */ (type), /** @type {Float32Array} */ (data), dims),
      ]),
    );

  const current = () => {
    if (session === undefined) throw new Error("no session is open");
    return session;
  };

  return async ({ id, request }) => {
    let told = performance.now();
    const tick = () => {
      if (performance.now() - told < tickMs) return;
      told = performance.now();
      post({ id, tick: true });
    };
    try {
      switch (request.op) {
        case "start": {
          loaded = await load(request);
          post({ id, value: { version: loaded.version } });
          break;
        }
        case "open": {
          opened = request;
          loaded.limit?.(request.memoryBytes ?? Number.POSITIVE_INFINITY);
          session = await loaded.ort.InferenceSession.create(/** @type {string} */ (request.model), request.options);
          post({ id, value: { inputs: describe(session.inputMetadata), outputs: describe(session.outputMetadata) } });
          break;
        }
        case "run": {
          const value = plain(await current().run(tensors(request.feeds), [...request.fetches], quiet));
          post({ id, value }, buffersOf(value));
          break;
        }
        case "step": {
          const { carry, fetches } = request;
          const wanted = new Set([...fetches, ...Object.values(carry)]);
          const results = await current().run({ ...kept, ...tensors(request.feeds) }, [...wanted], quiet);
          kept = Object.fromEntries(Object.entries(carry).map(([input, output]) => [input, results[output]]));
          // what is kept must stay here, so it is copied and not handed over
          const value = plain(Object.fromEntries(fetches.map((name) => [name, results[name]])));
          post({ id, value });
          break;
        }
        case "carried": {
          post({ id, value: plain(Object.fromEntries(request.inputs.map((name) => [name, kept[name]]))) });
          break;
        }
        case "time": {
          const feeds = tensors(request.feeds);
          const ms = new Float64Array(request.rounds);
          for (let round = -warmUps; round < request.rounds; round++) {
            const start = performance.now();
            await current().run(feeds, quiet);
            if (round >= 0) ms[round] = performance.now() - start;
            tick();
          }
          post({ id, value: ms });
          break;
        }
        case "profile": {
          if (loaded.profile === undefined) throw new Error("this runtime has no profiler");
          post({ id, value: await loaded.profile(opened, tensors(request.feeds), warmUps, request.rounds, tick) });
          break;
        }
        case "close": {
          const closing = session;
          session = undefined;
          kept = {};
          await closing?.release();
          loaded.limit?.(Number.POSITIVE_INFINITY);
          post({ id, value: { bytes: loaded.occupiedBytes() } });
        }
      }
    } catch (error) {
      const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
      post({ id, error: { name, message } });
    }
  };
}

/** @param {import("onnxruntime-web").InferenceSession.ReturnType} results */
function plain(results) {
  /** @type {Record<string, import("#model/tensor").Tensor>} */
  const value = {};
  for (const [name, { type, dims, data }] of Object.entries(results)) value[name] = { type, dims, data };
  return value;
}

/** @param {readonly import("onnxruntime-web").InferenceSession.ValueMetadata[]} values */
function describe(values) {
  return values.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, dims: value.shape.map(knownDim) }
      : { name: value.name, type: undefined, dims: [] },
  );
}

/**
 * Old exporters write an open dimension as −1, which onnxruntime-web reads as 2³² − 1: it is as unknown as a nameless one.
 * @param {number | string} dim
 */
function knownDim(dim) {
  return typeof dim === "number" && !(dim >= 0 && dim < 2 ** 31) ? "" : dim;
}

/** @param {Tensors} values */
function buffersOf(values) {
  /** @type {Set<ArrayBuffer>} */
  const buffers = new Set();
  for (const { data } of Object.values(values)) {
    if (ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer) buffers.add(data.buffer);
  }
  return [...buffers];
}

/**
 * ONNX Runtime hands float16 over in a Float16Array where there is one, and its native package then fails to read it back
 * (stack.md P4). Here, where nothing else runs, there is none: float16 is codes in a Uint16Array, as in our tensors.
 */
export function forgetFloat16Array() {
  Reflect.deleteProperty(globalThis, "Float16Array");
}

/**
 * @param {Start} start
 * @returns {Promise<Loaded>}
 */
async function loadOnnxRuntimeWeb({ threads = 1, pages = 65_536, wasmPaths }) {
  forgetFloat16Array();
  /** @type {WebAssembly.Memory | undefined} */
  let heap;
  const Memory = WebAssembly.Memory;
  // onnxruntime-web asks for up to 4 GiB; a lower maximum turns what goes beyond it into an ordinary std::bad_alloc
  WebAssembly.Memory = class extends Memory {
    /** @param {WebAssembly.MemoryDescriptor} wanted */
    constructor(wanted) {
      const maximum = Math.max(wanted.initial, Math.min(wanted.maximum ?? pages, pages));
      super({ ...wanted, maximum });
      if (wanted.initial > 0) heap = this;
    }
  };
  // Node has a build of its own, which a bundler for the browser must not follow
  const nodeBuild = "onnxruntime-web";
  /** @type {typeof import("onnxruntime-web")} */
  const ort =
    nodeThreads === undefined
      ? await import("onnxruntime-web/wasm")
      : await import(/* @vite-ignore */ /* webpackIgnore: true */ nodeBuild);
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths;
  return { ort, version: ort.env.versions.web ?? "", occupiedBytes: () => heap?.buffer.byteLength ?? 0 };
}

/**
 * A further thread of onnxruntime-web, bundled with this file, starts this file again under the name "em-pthread". It must
 * load onnxruntime-web, which then serves the messages, those that came too early included.
 * @param {EventTarget} self
 */
async function joinThreads(self) {
  /** @type {MessageEvent[]} */
  const early = [];
  const keep = (/** @type {Event} */ event) => void early.push(/** @type {MessageEvent} */ (event));
  self.addEventListener("message", keep);
  await import("onnxruntime-web/wasm");
  self.removeEventListener("message", keep);
  for (const { data } of early) self.dispatchEvent(new MessageEvent("message", { data }));
}

const browserWorker = "WorkerGlobalScope" in globalThis ? globalThis.self : undefined;
if (browserWorker?.name.startsWith("em-pthread")) {
  void joinThreads(browserWorker);
} else {
  // our end of the wire, when this file runs as a worker of Node or of a browser
  const port = /** @type {MessagePort | undefined} */ (
    /** @type {unknown} */ (nodeThreads?.parentPort ?? browserWorker)
  );
  const handle = serve((reply, transfer = []) => port?.postMessage(reply, transfer), loadOnnxRuntimeWeb);
  port?.addEventListener("message", ({ data }) => void handle(data));
}
