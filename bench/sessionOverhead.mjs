/**
 * What a session costs around the model: starting, opening, and a round trip with images. Runs what `npm run build` made.
 *
 *   node bench/sessionOverhead.mjs [--dist DIR]
 *
 * The model takes the corner of an image, so a run is nearly all transport: "inside" is the same run timed within the
 * runtime. Medians of 200 runs after 50.
 */
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { dist: { type: "string" } } });
const dist = values.dist ?? fileURLToPath(new URL("../dist", import.meta.url));
const load = (/** @type {string} */ module) => import(pathToFileURL(`${dist}/${module}.js`).href);
/** @type {typeof import("#runtimes/runtimes.node")} */
const { nodeRuntimes } = await load("runtimes/runtimes.node");
/** @type {typeof import("#model/attributes")} */
const { createNode } = await load("model/attributes");
/** @type {typeof import("#model/tensor")} */
const { float32, int64 } = await load("model/tensor");
/** @type {typeof import("#model/weights")} */
const { weight } = await load("model/weights");
/** @type {typeof import("#formats/onnx/index")} */
const { onnxBytes } = await load("formats/onnx/index");

const none = new Map();
const constants = { start: 0, end: 1, axis: 3 };
/** @type {(name: string, shape: (number | string)[]) => import("#model/model").ValueInfo} */
const value = (name, shape) => ({ name, type: { kind: "tensor", element: "float32", shape }, doc: "", metadata: none });
/** @type {import("#model/model").Model} */
const model = {
  irVersion: 8,
  opsets: new Map([["", 17]]),
  graph: {
    name: "corner",
    nodes: [createNode("Slice", ["x", ...Object.keys(constants)], ["y"])],
    inputs: [value("x", ["N", 3, 224, 224])],
    outputs: [value("y", ["N", 3, 224, 1])],
    initializers: new Map(
      Object.entries(constants).map(([name, number]) => [name, weight(name, int64([1], [number]))]),
    ),
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
const file = { model, bytes: () => onnxBytes(model) };

/** @param {ArrayLike<number>} ms */
const median = (ms) => Array.from(ms).sort((a, b) => a - b)[ms.length >> 1];

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

for (const name of /** @type {const} */ (["ort-node", "ort-web"])) {
  const runtime = nodeRuntimes[name];
  const openAndClose = async () => (await runtime.open(file)).close();
  console.log(`${name}: first open ${(await timed(openAndClose)).toFixed(0)} ms`);
  const opens = [];
  for (let i = 0; i < 10; i++) opens.push(await timed(openAndClose));
  console.log(`${name}: further opens ${median(opens).toFixed(1)} ms`);
  const session = await runtime.open(file);
  for (const images of [0, 1, 8]) {
    const x = float32([images, 3, 224, 224], new Float32Array(images * 3 * 224 * 224).fill(1));
    const inside = median(await session.time({ x }, 100));
    const trips = [];
    for (let i = 0; i < 250; i++) trips.push(await timed(() => session.run({ x })));
    const trip = median(trips.slice(50));
    console.log(`${name}: ${images} images: ${trip.toFixed(3)} ms a run, ${inside.toFixed(3)} ms of it inside`);
  }
  await session.close();
  await runtime.shutdown();
}
