// network.json as an ONNX model whose weights are random: what training starts from.
//
// BatchNormalization stays a node of its own, as exporters may leave it: a quantizer should meet it, and fold it itself.
import { readFileSync } from "node:fs";
import { createRandom } from "./renderGlyphs.mjs";

/** @import { Attribute, Model, Node, TensorRef } from "lowbit" */

/** @typedef {{ name: string, channels: number, kernel: number, stride?: number, groups?: number, add?: string, activation?: "relu" | "relu6" }} Layer */

/** @type {{ input: { name: string, channels: number, size: number }, layers: Layer[], output: { name: string, classifier: string, classes: number } }} */
const network = JSON.parse(readFileSync(new URL("network.json", import.meta.url), "utf8"));

const EPSILON = 1e-5; // of BatchNormalization
const WEIGHTS = 4; // a stream of random numbers that no split of the images has

export const { input } = network;

/**
 * @param {number} seed
 * @returns {{ model: Model, parameters: number, macs: number }} `parameters` without running statistics, `macs` of one image
 */
export function createNetwork(seed) {
  /** @type {Node[]} */
  const nodes = [];
  /** @type {Map<string, TensorRef>} */
  const initializers = new Map();
  let parameters = 0;
  let macs = 0;

  /** @param {string} op @param {string} name @param {string[]} inputs @param {Record<string, Attribute>} [attributes] */
  const emit = (op, name, inputs, attributes = {}) => {
    const about = { domain: "", overload: "", doc: "", metadata: new Map() };
    nodes.push({ ...about, name, op, inputs, outputs: [name], attributes: new Map(Object.entries(attributes)) });
    return name;
  };
  /** @param {string} name @param {number[]} dims @param {(i: number) => number} value */
  const weight = (name, dims, value) => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const bytes = new Uint8Array(Float32Array.from({ length: size }, (_, i) => value(i)).buffer);
    initializers.set(name, {
      name,
      element: "float32",
      dims,
      data: { kind: "bytes", bytes },
      doc: "",
      metadata: new Map(),
    });
    return name;
  };
  /**
   * Uniform in ±√(1 / fan-in), as PyTorch does it: √6 less than He et al. 2015. Forward the size does not matter, because normalization
   * follows; but a step of Adam then turns the smaller weights further. A stream of random numbers for each weight.
   * @param {string} name @param {number[]} dims
   */
  const random = (name, dims) => {
    const fanIn = dims.slice(1).reduce((product, dim) => product * dim, 1);
    const uniform = createRandom(seed, WEIGHTS, initializers.size);
    parameters += fanIn * dims[0];
    return weight(name, dims, () => (2 * uniform() - 1) * Math.sqrt(1 / fanIn));
  };

  let x = input.name;
  let { channels, size } = input;
  for (const { name, channels: out, kernel, stride = 1, groups = 1, add, activation } of network.layers) {
    size /= stride;
    const dims = [out, channels / groups, kernel, kernel];
    macs += out * dims[1] * kernel * kernel * size * size;
    x = emit("Conv", `${name}.conv`, [x, random(`${name}.conv.weight`, dims)], {
      group: int(groups),
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints(Array(4).fill(Math.floor(kernel / 2))),
    });
    const statistics = Object.entries({ scale: 1, bias: 0, mean: 0, var: 1 }).map(([part, value]) =>
      weight(`${name}.bn.${part}`, [out], () => value),
    );
    parameters += 2 * out;
    x = emit("BatchNormalization", `${name}.bn`, [x, ...statistics], { epsilon: { kind: "float", value: EPSILON } });
    if (add !== undefined) x = emit("Add", `${name}.add`, [x, output(add)]);
    if (activation === "relu") x = emit("Relu", `${name}.relu`, [x]);
    if (activation === "relu6") {
      const bounds = [weight("relu6.min", [], () => 0), weight("relu6.max", [], () => 6)];
      x = emit("Clip", `${name}.relu6`, [x, ...bounds]);
    }
    channels = out;
  }
  const { name, classifier, classes } = network.output;
  x = emit("Flatten", "flatten", [emit("GlobalAveragePool", "pool", [x])], { axis: int(1) });
  const bias = weight(`${classifier}.bias`, [classes], () => 0);
  parameters += classes;
  macs += classes * channels;
  const gemm = emit("Gemm", name, [x, random(`${classifier}.weight`, [classes, channels]), bias], { transB: int(1) });

  /** What a layer's last node computes. @param {string} layer */
  function output(layer) {
    const last = nodes.filter((node) => node.name.startsWith(`${layer}.`)).at(-1);
    if (last === undefined) throw new RangeError(`network.json adds the output of ${layer} before there is one`);
    return last.name;
  }
  /** @param {string} value @param {(string | number)[]} shape */
  const info = (value, shape) => {
    const type = /** @type {const} */ ({ kind: "tensor", element: "float32", shape });
    return { name: value, type, doc: "", metadata: new Map() };
  };
  const graph = {
    name: "glyphs",
    nodes,
    inputs: [info(input.name, ["N", input.channels, input.size, input.size])],
    outputs: [info(gemm, ["N", classes])],
    initializers,
    values: new Map(),
    doc: "",
    metadata: new Map(),
  };
  const model = {
    irVersion: 8,
    opsets: new Map([["", 17]]),
    graph,
    functions: [],
    producer: { name: "lowbit glyphs", version: "" },
    domain: "",
    modelVersion: 0,
    doc: "",
    metadata: new Map(),
  };
  return { model, parameters, macs };
}

/** @param {number} value @returns {Attribute} */
const int = (value) => ({ kind: "int", value });
/** @param {number[]} value @returns {Attribute} */
const ints = (value) => ({ kind: "ints", value });
