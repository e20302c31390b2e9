/**
 * Steps of training against PyTorch, one thread each: forward, cross-entropy, backward, SGD with momentum, in float32. Ours is the
 * model that `trainingStep` writes, run by onnxruntime-node in this process; states go from outputs to inputs as they are. Both take
 * turns, and the time is CPU time of the process, so that neighbours on the machine count little. PyTorch's allocator is told to keep
 * what it frees: without that its convolutional steps take up to twice as long.
 *
 *   LOWBIT_PEER_PYTHON=…/python taskset -c 1 node bench/gradients.mjs [resnet20=MODEL.onnx lenet mobilenet transformer] [--batch 64] [--rounds 5]
 *     [--steps 4] [--profile] [--web] [--preload LIBRARY] [--dist DIR]
 *
 * MODEL.onnx is a ResNet-20 for CIFAR-10, trained or not; the others are built here. Prints a Markdown table: least times, and the
 * median over rounds of the ratio of the round's least times. --profile also prints where our time goes, by operator. With --web
 * ours is run by onnxruntime-web, in WebAssembly.
 *
 * On AMD's processors the matrix products of PyTorch's wheels run at less than half their speed, since MKL takes its fast ones for
 * Intel's alone. --preload gives PyTorch a library whose `int mkl_serv_intel_cpu_true(void) { return 1; }` says otherwise: compare
 * with that.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    batch: { type: "string", default: "64" },
    rounds: { type: "string", default: "5" },
    steps: { type: "string", default: "4" },
    profile: { type: "boolean", default: false },
    web: { type: "boolean", default: false },
    preload: { type: "string", default: "" },
    dist: { type: "string", default: fileURLToPath(new URL("../dist", import.meta.url)) },
  },
});
const batch = Number(values.batch);
const steps = Number(values.steps);
const load = (/** @type {string} */ path) => import(pathToFileURL(join(values.dist, path)).href);
/** @type {typeof import("#formats/onnx/onnxFile.node")} */
const { openOnnxFile } = await load("formats/onnx/onnxFile.node.js");
/** @type {typeof import("#formats/onnx/index")} */
const { onnxBytes } = await load("formats/onnx/index.js");
/** @type {typeof import("#model/attributes")} */
const { createNode } = await load("model/attributes.js");
/** @type {typeof import("#model/weights")} */
const { weight } = await load("model/weights.js");
/** @type {typeof import("#model/tensor")} */
const { float32, int64 } = await load("model/tensor.js");
/** @type {typeof import("#base/rng")} */
const { createRng } = await load("base/rng.js");
/** @type {typeof import("#math/normal")} */
const { normal } = await load("math/normal.js");
/** @type {typeof import("#grad/appendLoss")} */
const { appendLoss } = await load("grad/appendLoss.js");
/** @type {typeof import("#grad/trainingStep")} */
const { trainingStep } = await load("grad/trainingStep.js");

/** @type {typeof import("onnxruntime-node")} */
const ort = await import(values.web ? "onnxruntime-web" : "onnxruntime-node");
if (values.web) ort.env.wasm.numThreads = 1;

/** @typedef {import("#model/model").Model} Model */
/** @typedef {import("#model/model").Node} Node */

const rng = createRng(1);
const random = (/** @type {number} */ size, scale = 1) =>
  Float32Array.from({ length: size }, () => scale * normal(rng));

/** A network as it is written down: each layer takes what the one before made. */
class Network {
  /** @type {Node[]} */ nodes = [];
  /** @type {Map<string, import("#model/model").TensorRef>} */ weights = new Map();
  value = "x";

  /** @param {readonly number[]} dims @param {number} [fill] */
  #weight(dims, fill) {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const name = `w${this.weights.size}`;
    const spread = Math.sqrt(2 / (size / dims[0]));
    const data = fill === undefined ? random(size, spread) : new Float32Array(size).fill(fill);
    this.weights.set(name, weight(name, float32(dims, data)));
    return name;
  }

  /** @param {string} op @param {readonly string[]} inputs @param {Parameters<typeof createNode>[3]} [attributes] */
  add(op, inputs = [], attributes = {}) {
    const name = `v${this.nodes.length}`;
    this.nodes.push(createNode(op, [this.value, ...inputs], [name], attributes));
    this.value = name;
    return this;
  }

  /** @param {number} inputs @param {number} outputs @param {number} k */
  conv(inputs, outputs, k, { pad = 0, stride = 1, group = 1, bias = true } = {}) {
    const operands = [this.#weight([outputs, inputs / group, k, k]), ...(bias ? [this.#weight([outputs], 0)] : [])];
    return this.add("Conv", operands, { pads: [pad, pad, pad, pad], strides: [stride, stride], group });
  }

  /** @param {number} channels */
  norm(channels) {
    return this.add(
      "BatchNormalization",
      [1, 0, 0, 1].map((fill) => this.#weight([channels], fill)),
    );
  }

  relu6() {
    const [low, high] = [0, 6].map((value) => {
      const name = `limit${value}`;
      this.weights.set(name, weight(name, float32([], [value])));
      return name;
    });
    return this.add("Clip", [low, high]);
  }

  /** @param {number} inputs @param {number} outputs @param {number} stride */
  inverted(inputs, outputs, stride) {
    const from = this.value;
    const wide = inputs * 6;
    this.conv(inputs, wide, 1, { bias: false }).norm(wide).relu6();
    this.conv(wide, wide, 3, { pad: 1, stride, group: wide, bias: false }).norm(wide).relu6();
    this.conv(wide, outputs, 1, { bias: false }).norm(outputs);
    return stride === 1 && inputs === outputs ? this.add("Add", [from]) : this;
  }

  /** @param {number} inputs @param {number} outputs */
  linear(inputs, outputs) {
    return this.add("Gemm", [this.#weight([outputs, inputs]), this.#weight([outputs], 0)], { transB: 1 });
  }

  /** @param {"float32" | "int64"} type @param {readonly number[]} dims @param {readonly number[]} data */
  constant(type, dims, data) {
    const name = `c${this.weights.size}`;
    this.weights.set(name, weight(name, type === "int64" ? int64(dims, data) : float32(dims, data)));
    return name;
  }

  /** @param {readonly number[]} dims */
  reshape(dims) {
    return this.add("Reshape", [this.constant("int64", [dims.length], dims)]);
  }

  /** A matrix product with rows, and a bias. @param {number} inputs @param {number} outputs */
  project(inputs, outputs) {
    return this.add("MatMul", [this.#weight([inputs, outputs])]).add("Add", [this.#weight([outputs], 0)]);
  }

  /** @param {number} width */
  layerNorm(width) {
    return this.add("LayerNormalization", [this.#weight([width], 1), this.#weight([width], 0)]);
  }

  /** @param {number} rows @param {number} width */
  embed(rows, width) {
    const table = this.#weight([rows, width]);
    this.nodes.push(createNode("Gather", [table, this.value], ["embedded"]));
    this.value = "embedded";
    return this;
  }

  /** A layer that normalizes first: attention, then two projections. @param {number} length @param {number} width @param {number} heads */
  encoder(length, width, heads) {
    const before = this.value;
    const size = width / heads;
    this.layerNorm(width)
      .project(width, 3 * width)
      .reshape([batch, length, 3, heads, size]);
    this.add("Transpose", [], { perm: [2, 0, 3, 1, 4] });
    const [q, k, v] = ["q", "k", "v"].map((name) => `${name}${this.nodes.length}`);
    this.nodes.push(createNode("Split", [this.value], [q, k, v], { axis: 0, num_outputs: 3 }));
    this.value = k;
    const turned = this.add("Transpose", [], { perm: [0, 1, 2, 4, 3] }).value;
    this.value = q;
    this.add("MatMul", [turned]).add("Mul", [this.constant("float32", [], [1 / Math.sqrt(size)])]);
    this.add("Softmax", [], { axis: -1 })
      .add("MatMul", [v])
      .add("Transpose", [], { perm: [0, 1, 3, 2, 4] });
    this.reshape([batch, length, width]).project(width, width).add("Add", [before]);
    const between = this.value;
    this.layerNorm(width)
      .project(width, 4 * width)
      .add("Gelu")
      .project(4 * width, width);
    return this.add("Add", [between]);
  }

  /** @param {readonly number[]} shape @param {"float32" | "int64"} [element] @returns {Model} */
  model(shape, element = "float32") {
    const none = new Map();
    /** @type {(name: string, shape: readonly number[], element?: "float32" | "int64") => import("#model/model").ValueInfo} */
    const value = (name, dims, type = "float32") => ({
      name,
      type: { kind: "tensor", element: type, shape: dims },
      doc: "",
      metadata: none,
    });
    return {
      irVersion: 8,
      opsets: new Map([["", 20]]),
      graph: {
        name: "network",
        nodes: this.nodes,
        inputs: [value("x", shape, element)],
        outputs: [value(this.value, [batch, 10])],
        initializers: this.weights,
        values: none,
        doc: "",
        metadata: none,
      },
      functions: [],
      producer: { name: "", version: "" },
      domain: "",
      modelVersion: 0,
      doc: "",
      metadata: none,
    };
  }
}

const half = { kernel_shape: [2, 2], strides: [2, 2] };
/** @type {Record<string, { shape: number[], open: (file: string) => Model | Promise<Model> }>} */
const workloads = {
  resnet20: { shape: [batch, 3, 32, 32], open: async (file) => (await openOnnxFile(file)).model },
  lenet: {
    shape: [batch, 1, 28, 28],
    open: () => {
      const net = new Network().conv(1, 6, 5, { pad: 2 }).add("Relu").add("MaxPool", [], half);
      net.conv(6, 16, 5).add("Relu").add("MaxPool", [], half).add("Flatten");
      net.linear(400, 120).add("Relu").linear(120, 84).add("Relu").linear(84, 10);
      return net.model([batch, 1, 28, 28]);
    },
  },
  mobilenet: {
    shape: [batch, 3, 16, 16],
    open: () => {
      const net = new Network().conv(3, 16, 3, { pad: 1, bias: false }).norm(16).relu6();
      net.inverted(16, 16, 1).inverted(16, 24, 2).add("GlobalAveragePool").add("Flatten").linear(24, 10);
      return net.model([batch, 3, 16, 16]);
    },
  },
  transformer: {
    shape: [batch, 128],
    open: () => {
      const net = new Network().embed(256, 256);
      for (let layer = 0; layer < 4; layer++) net.encoder(128, 256, 8);
      net
        .layerNorm(256)
        .add("ReduceMean", [net.constant("int64", [1], [1])], { keepdims: 0 })
        .linear(256, 10);
      return net.model([batch, 128], "int64");
    },
  },
};

/** Statistics of the batch, as while training. @param {Model} model @returns {Model} */
function training(model) {
  const nodes = model.graph.nodes.map((node) => {
    if (node.op !== "BatchNormalization") return node;
    const [y] = node.outputs;
    const attributes = new Map([
      ...node.attributes,
      ["training_mode", /** @type {const} */ ({ kind: "int", value: 1 })],
    ]);
    return { ...node, attributes, outputs: [y, `${y}_mean`, `${y}_variance`] };
  });
  return { ...model, graph: { ...model.graph, nodes } };
}

/** Weights that a step changes: all but running statistics. @param {Model} model */
function trainable({ graph }) {
  const names = new Set();
  for (const { op, inputs } of graph.nodes) {
    const layer = ["Conv", "Gemm", "MatMul", "LayerNormalization", "BatchNormalization"].includes(op);
    if (layer) for (const name of inputs.slice(1, 3)) names.add(name);
    // biases of projections, embeddings
    if (op === "Add" || op === "Gather") for (const name of inputs) names.add(name);
  }
  return [...names].filter((name) => graph.initializers.has(name));
}

/** @param {Model} model @param {readonly number[]} shape */
async function prepare(model, shape) {
  const input = model.graph.inputs[0].name;
  const inputShapes = { [input]: shape };
  const withLoss = await appendLoss(training(model), { kind: "cross-entropy" }, inputShapes);
  const step = await trainingStep(withLoss.model, {
    loss: withLoss.loss,
    weights: trainable(model),
    inputShapes: { ...inputShapes, [withLoss.inputs[0].name]: withLoss.inputs[0].shape },
  });
  const folder = mkdtempSync(join(tmpdir(), "lowbit-bench-"));
  const session = await ort.InferenceSession.create(await onnxBytes(step.model), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    ...(values.profile && { enableProfiling: true, profileFilePrefix: join(folder, "steps") }),
  });
  const size = shape.reduce((product, dim) => product * dim, 1);
  /** @type {Record<string, import("onnxruntime-node").Tensor>} */
  let feeds = {
    [input]:
      shape.length > 2
        ? new ort.Tensor("float32", random(size), shape)
        : new ort.Tensor(
            "int64",
            BigInt64Array.from({ length: size }, (_, i) => BigInt((i * 37) % 256)),
            shape,
          ),
    [withLoss.inputs[0].name]: new ort.Tensor(
      "int64",
      BigInt64Array.from({ length: batch }, (_, i) => BigInt(i % 10)),
      [batch],
    ),
    [step.scalars.learningRate]: new ort.Tensor("float32", [0.01], []),
    [step.scalars.step]: new ort.Tensor("float32", [1], []),
  };
  for (const [name, { dims, data }] of Object.entries(step.initial))
    feeds[name] = new ort.Tensor("float32", /** @type {Float32Array} */ (data), dims);
  const unused = Object.keys(feeds).filter((name) => !session.inputNames.includes(name));
  for (const name of unused) delete feeds[name];
  /** @type {number[]} */
  const losses = [];
  return {
    losses,
    nodes: step.model.graph.nodes.length,
    async time() {
      const ms = [];
      for (let i = 0; i < steps; i++) {
        const start = process.cpuUsage();
        const found = await session.run(feeds);
        const next = Object.entries(step.carry).map(([name, from]) => [name, found[from]]);
        feeds = { ...feeds, ...Object.fromEntries(next) };
        const { user, system } = process.cpuUsage(start);
        ms.push((user + system) / 1e3);
        losses.push(Number(found[step.loss].data[0]));
      }
      return Math.min(...ms);
    },
    async close() {
      session.endProfiling();
      await session.release();
      if (values.profile) printProfile(folder);
      rmSync(folder, { recursive: true });
    },
  };
}

/** @param {string} folder */
function printProfile(folder) {
  const [file] = readdirSync(folder);
  /** @type {Map<string, number>} */
  const byOp = new Map();
  for (const { cat, dur, args } of JSON.parse(readFileSync(join(folder, file), "utf8")))
    if (cat === "Node" && args?.op_name) byOp.set(args.op_name, (byOp.get(args.op_name) ?? 0) + dur);
  const total = [...byOp.values()].reduce((sum, us) => sum + us, 0);
  const rows = [...byOp].sort((a, b) => b[1] - a[1]).slice(0, 14);
  console.error(rows.map(([op, us]) => `${op} ${((100 * us) / total).toFixed(1)} %`).join(", "));
}

const peer = spawn(
  process.env.LOWBIT_PEER_PYTHON ?? "python3",
  [fileURLToPath(new URL("peers/torch_step.py", import.meta.url))],
  {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...process.env,
      MALLOC_MMAP_THRESHOLD_: "4000000000",
      MALLOC_TRIM_THRESHOLD_: "8000000000",
      MALLOC_TOP_PAD_: "1000000000",
      ...(values.preload !== "" && { LD_PRELOAD: values.preload }),
    },
  },
);
const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
/** @param {string} name */
async function timeTheirs(name) {
  peer.stdin.write(`${name} ${batch} ${steps}\n`);
  const { value } = await answers.next();
  return Math.min(...JSON.parse(value));
}

const median = (/** @type {number[]} */ all) => [...all].sort((a, b) => a - b)[all.length >> 1];

try {
  console.log("| | nodes | ours, ms | PyTorch, ms | ratio |\n|---|--:|--:|--:|--:|");
  for (const wanted of positionals.length === 0 ? ["lenet", "mobilenet"] : positionals) {
    const [name, file = ""] = wanted.split("=");
    const { shape, open } = workloads[name];
    const ours = await prepare(await open(file), shape);
    await ours.time();
    await timeTheirs(name);
    /** @type {[number, number][]} */
    const rounds = [];
    for (let round = 0; round < Number(values.rounds); round++)
      rounds.push([await ours.time(), await timeTheirs(name)]);
    const least = (/** @type {0 | 1} */ who) => Math.min(...rounds.map((times) => times[who])).toFixed(1);
    const ratio = median(rounds.map(([mine, theirs]) => mine / theirs)).toFixed(2);
    console.log(`| ${name}, batch ${batch} | ${ours.nodes} | ${least(0)} | ${least(1)} | ${ratio} |`);
    if (!(ours.losses[ours.losses.length - 1] < ours.losses[0]))
      throw new Error(`the loss did not fall: ${ours.losses.join(", ")}`);
    await ours.close();
  }
} finally {
  peer.kill();
}
