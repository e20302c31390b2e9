/**
 * What could hurt a model where it runs: traps of quantized files that load without complaint and are slow, wrong or refused elsewhere
 * (reference: the acceptance tests of ONNX Runtime 1.30). One function a trap; each reads the graph and nothing of who wrote it.
 */
import type { Diagnostic } from "#base/errors";
import { intAttribute, subgraphs } from "#model/attributes";
import type { Graph, Model, Node } from "#model/model";
import type { ShapeMap } from "#model/shapes";
import { sizeOf } from "#model/tensor";
import type { ConstantGroup } from "#report/constantGroups";
import { formatBytes, plural } from "#report/format";
import { findFusion, type Fusion, type Links, linksOf } from "#report/graph/fusion";
import { evaluatedAtLoad, findConstants } from "#report/graph/constants";

/** The newest file that the runtime reads: ONNX Runtime 1.30. */
const newest = { runtime: "ONNX Runtime 1.30", opset: 26, ir: 13 };

/** Weights of fewer elements are not worth a word. */
const smallest = 1024;

interface Linted {
  readonly model: Model;
  readonly shapes: ShapeMap;
  readonly groups: readonly ConstantGroup[];
  /** Of the main graph and each subgraph. */
  readonly graphs: readonly { readonly graph: Graph; readonly links: Links; readonly fusion: Fusion }[];
  readonly nodes: readonly Node[];
}

type Lint = (model: Linted) => Diagnostic[];

/** All lints, worst first. `groups` of `constantGroups`. */
export function lints(model: Model, shapes: ShapeMap, groups: readonly ConstantGroup[]): Diagnostic[] {
  const opset = model.opsets.get("") ?? 0;
  const graphs = allGraphs(model.graph).map((graph) => {
    const links = linksOf(graph);
    return { graph, links, fusion: findFusion(graph, opset, shapes, links) };
  });
  const nodes = [...graphs.flatMap(({ graph }) => graph.nodes), ...model.functions.flatMap((fn) => fn.nodes)];
  const found = all.flatMap((lint) => lint({ model, shapes, groups, graphs, nodes }));
  return [...found.filter(({ level }) => level === "warning"), ...found.filter(({ level }) => level === "info")];
}

function allGraphs(graph: Graph): Graph[] {
  return [graph, ...graph.nodes.flatMap(subgraphs).flatMap(allGraphs)];
}

const warn = (code: string, message: string, node: Node | undefined, hint: string): Diagnostic => ({
  code: `lint/${code}`,
  level: "warning",
  message,
  ...(node === undefined ? {} : { at: { node: nameOf(node), op: node.op } }),
  hint,
});

function nameOf(node: Node): string {
  return node.name || node.outputs[0] || node.op;
}

/** "3 MatMulNBits nodes", with the first by name in `at`. */
function several(nodes: readonly Node[]): string {
  return nodes.length === 1 ? `${nodes[0].op} ${nameOf(nodes[0])}` : plural(nodes.length, `${nodes[0].op} node`);
}

const is =
  (op: string, domain = "com.microsoft") =>
  (node: Node): boolean =>
    node.op === op && node.domain === domain;

/** accuracy_level 0, the default, computes in float32: on CPUs 25 to 35 times slower with 2 and 8 bits, 4 times with 4. */
const accuracyLevel: Lint = ({ nodes }) => {
  const slow = nodes.filter(is("MatMulNBits")).filter((node) => intAttribute(node, "accuracy_level", 0) === 0);
  if (slow.length === 0) return [];
  return [
    warn(
      "accuracy-level",
      `${several(slow)} without accuracy_level: computed in float32 on CPUs, slower than a float MatMul`,
      slow[0],
      "write accuracy_level = 4 for CPUs (int8 products), or quantize again with lowbit",
    ),
  ];
};

const noKernelForBits: Lint = ({ nodes }) => {
  const packed = nodes.filter((node) => is("MatMulNBits")(node) || is("GatherBlockQuantized")(node));
  const refused = packed.filter((node) => ![2, 4, 8].includes(intAttribute(node, "bits", 4)));
  if (refused.length === 0) return [];
  const bits = intAttribute(refused[0], "bits", 4);
  return [
    warn(
      "no-kernel",
      `${several(refused)} with ${bits}-bit codes: ${newest.runtime} runs 2, 4 and 8 bits and refuses the rest`,
      refused[0],
      "use 2, 4 or 8 bits",
    ),
  ];
};

/** The WebGPU provider: "In the case of dequantizing int32 there is no zero point". */
const biasZeroPoint: Lint = ({ nodes, shapes }) => {
  const given = nodes.filter(
    (node) =>
      node.op === "DequantizeLinear" &&
      (node.inputs[2] ?? "") !== "" &&
      shapes.get(node.inputs[0])?.element === "int32",
  );
  if (given.length === 0) return [];
  return [
    warn(
      "bias-zero-point",
      `${given.length === 1 ? "an int32 bias" : `${given.length} int32 biases`} decoded with a zero point: WebGPU refuses the model`,
      given[0],
      "leave the zero point out; it is 0 anyway",
    ),
  ];
};

/** u8 × u8 leaves the fast path of VNNI: measured 5.6 times slower than u8 × s8. */
const unsignedWeights: Lint = ({ model, nodes, shapes, graphs }) => {
  const { operands, nodes: constants } = findConstants(model);
  const element = (name: string | undefined): string => shapes.get(name ?? "")?.element ?? "";
  const kernels = new Map(graphs.flatMap(({ fusion }) => [...fusion.kernels]));
  /** Types of the activation's codes and of the weight's: "uint8,int8". */
  const codes = (node: Node): string => {
    const direct = node.op.startsWith("QLinear") ? 3 : node.op === "ConvInteger" || node.op === "MatMulInteger" ? 1 : 0;
    if (direct > 0)
      return operands.get(node)?.[direct] === undefined ? "" : [0, direct].map((i) => element(node.inputs[i])).join();
    const [x, w] = [0, 1].map((input) => kernels.get(node)?.dequantize.get(input));
    return w !== undefined && constants.has(w) ? [x, w].map((each) => element(each?.inputs[0])).join() : "";
  };
  const multiplies = nodes.filter(({ op }) => /Conv|MatMul|Gemm/.test(op));
  const unsigned = multiplies.filter((node) => codes(node) === "uint8,uint8");
  const refused = multiplies.filter((node) => node.op === "QLinearConv" && codes(node) === "int8,uint8");
  const found: Diagnostic[] = [];
  if (unsigned.length > 0)
    found.push(
      warn(
        "unsigned-weights",
        `uint8 weights times uint8 activations in ${several(unsigned)}: x64 processors with VNNI have no fast kernel for that`,
        unsigned[0],
        "quantize the weights to int8 (--weights int8/channel)",
      ),
    );
  if (refused.length > 0)
    found.push(
      warn(
        "no-kernel",
        `uint8 weights times int8 activations in ${several(refused)}: ${newest.runtime} has no kernel for it`,
        refused[0],
        "quantize the weights to int8, or the activations to uint8",
      ),
    );
  return found;
};

/**
 * On x64 ONNX Runtime turns int8 activations into uint8, but not those with several readers, and no kernel takes one of each: measured
 * on Google's int8 MobileNetV2, 15 of 53 convolutions and all 10 sums run in float.
 */
const signedActivations: Lint = ({ graphs, shapes }) => {
  const left = graphs.flatMap(({ links, fusion }) => {
    const readers = (codes: string): number =>
      (links.readers.get(codes) ?? []).reduce(
        (sum, each) => sum + (links.readers.get(each.outputs[0])?.length ?? 0),
        0,
      );
    /** Whether a value stays int8. */
    const stays = (codes: string): boolean => shapes.get(codes)?.element === "int8" && readers(codes) > 1;
    return [...fusion.kernels.values()].filter(({ node, dequantize, quantize }) => {
      const read = [...dequantize].filter(([, each]) => links.producers.has(each.inputs[0]));
      const values = [
        ...read.map(([, each]) => each.inputs[0]),
        ...[...quantize.values()].map((each) => each.node.outputs[0]),
      ];
      return node.op !== "Gather" && values.some(stays) && !values.every(stays);
    });
  });
  if (left.length === 0) return [];
  return [
    warn(
      "signed-activations",
      `${plural(left.length, "node")} beside int8 activations that several nodes read: ${newest.runtime} computes them in float on x64 processors`,
      left[0].node,
      "quantize the activations to uint8 (--activations uint8)",
    ),
  ];
};

/** Q and DQ around an operator that has no integer kernel only cost time and accuracy. */
const unfused: Lint = ({ graphs, shapes }) => {
  const alone: Node[] = [];
  for (const { graph, links, fusion } of graphs) {
    for (const node of graph.nodes) {
      if (
        fusion.kernels.has(node) ||
        fusion.absorbed.has(node) ||
        node.op === "QuantizeLinear" ||
        node.op === "DequantizeLinear"
      )
        continue;
      const from = node.inputs
        .map((name) => links.producers.get(name))
        .filter((producer) => producer?.op === "DequantizeLinear");
      const quantized = node.outputs.some((name) => links.readers.get(name)?.some(({ op }) => op === "QuantizeLinear"));
      // codes of an activation come in, and codes go out
      if (from.some((producer) => producer && links.producers.has(producer.inputs[0])) && quantized) alone.push(node);
    }
  }
  if (alone.length === 0) return [];
  const kinds = [...new Set(alone.map((node) => node.op))];
  const wide = alone.some((node) => /^u?int16$/.test(shapes.get(node.inputs[0] ?? "")?.element ?? ""));
  return [
    warn(
      "unfused",
      `${plural(alone.length, "node")} (${kinds.slice(0, 4).join(", ")}) between DequantizeLinear and QuantizeLinear that no integer kernel computes: floats, with two conversions each${wide ? "; 16-bit codes have no kernels" : ""}`,
      alone[0],
      "leave these in float (--keep), or give the form that kernels have: one reader a value, int32 bias, 8-bit codes",
    ),
  ];
};

/** A DequantizeLinear of a weight that nothing fuses runs at every inference. */
const decodedEveryRun: Lint = ({ graphs, model }) => {
  const { nodes: constants } = findConstants(model);
  const running = graphs.flatMap(({ graph, fusion }) =>
    graph.nodes.filter((node) => node.op === "DequantizeLinear" && constants.has(node) && !fusion.absorbed.has(node)),
  );
  const large = running.filter((node) => (node.inputs[0] ?? "") !== "");
  if (large.length === 0) return [];
  return [
    {
      code: "lint/decoded-every-run",
      level: "info",
      message: `${plural(large.length, "weight")} decoded by a DequantizeLinear that no kernel takes up: decoded again at every run`,
      at: { node: nameOf(large[0]), op: large[0].op },
      hint: "decode at load (Cast, Sub, Mul), or use an operator with a kernel for codes",
    },
  ];
};

/** Blocked DequantizeLinear + MatMul becomes MatMulNBits with accuracy_level 4, which quantizes the activations too. */
const blockedProduct: Lint = ({ graphs }) => {
  const blocks = graphs.flatMap(({ fusion }) => [...fusion.kernels.values()]).filter(({ kind }) => kind === "blocks");
  if (blocks.length === 0) return [];
  return [
    {
      code: "lint/blocked-product",
      level: "info",
      message: `${several(blocks.map(({ node }) => node))} with weights in blocks: ${newest.runtime} also quantizes the activations to int8`,
      at: { node: nameOf(blocks[0].node), op: blocks[0].node.op },
      hint: "for exact activations set the session option session.qdq_matmulnbits_accuracy_level to 1",
    },
  ];
};

/** Codebooks and other decodings of constants are evaluated when the model is loaded. */
const decodedAtLoad: Lint = ({ model, groups }) => {
  const { uses } = findConstants(model, { evaluates: evaluatedAtLoad });
  const folded = new Set(
    uses.filter(({ constant }) => constant.node !== undefined).map(({ constant }) => constant.primary?.ref),
  );
  const small = groups.filter(
    ({ codes, role, stored }) =>
      role === "weight" && stored.bits < 32 && folded.has(codes.ref) && sizeOf(stored.shape) >= smallest,
  );
  if (small.length === 0) return [];
  const bytes = small.reduce((sum, { stored }) => sum + 4 * sizeOf(stored.shape), 0);
  return [
    {
      code: "lint/decoded-at-load",
      level: "info",
      message: `${plural(small.length, "weight")} stored small and decoded when the model is loaded: ${formatBytes(bytes)} of floats in memory`,
      at: { tensor: small[0].name },
      hint: "it saves download, not memory or time",
    },
  ];
};

const largeFloats: Lint = ({ groups }) => {
  const weights = groups.filter(({ role, stored }) => role === "weight" && sizeOf(stored.shape) >= smallest);
  const floats = weights.filter(({ stored }) => stored.text === "float32" || stored.text === "float64");
  if (floats.length === 0 || floats.length === weights.length) return [];
  const bytes = floats.reduce((sum, { codes }) => sum + codes.bytes, 0);
  return [
    {
      code: "lint/float-weights",
      level: "info",
      message: `${plural(floats.length, "weight")} of this quantized model still in float: ${formatBytes(bytes)}`,
      at: { tensor: floats[0].name },
      hint: "they could be stored as codes at float speed (--recipe w8), or as float16",
    },
  ];
};

const doubles: Lint = ({ groups }) => {
  const wide = groups.filter(({ codes, role }) => role === "weight" && codes.ref?.element === "float64");
  if (wide.length === 0) return [];
  const bytes = wide.reduce((sum, { codes }) => sum + codes.bytes, 0);
  return [
    {
      code: "lint/float64",
      level: "info",
      message: `${plural(wide.length, "weight")} in float64: ${formatBytes(bytes)}`,
      at: { tensor: wide[0].name },
      hint: "export the model again in float32: half the size, and faster",
    },
  ];
};

const unreadTensors: Lint = ({ groups }) => {
  const unread = groups.filter(({ uses, codes }) => uses.length === 0 && codes.bytes >= smallest);
  if (unread.length === 0) return [];
  const bytes = unread.reduce((sum, { codes }) => sum + codes.bytes, 0);
  return [
    warn(
      "unread",
      `${plural(unread.length, "tensor")} that nothing reads: ${formatBytes(bytes)}, the first ${unread[0].name}`,
      undefined,
      "they can go; lowbit leaves them out when it writes the model",
    ),
  ];
};

const tooNew: Lint = ({ model }) => {
  const opset = model.opsets.get("") ?? 0;
  if (opset <= newest.opset && model.irVersion <= newest.ir) return [];
  return [
    warn(
      "too-new",
      `operator set ${opset}, file version ${model.irVersion}: ${newest.runtime} reads up to ${newest.opset} and ${newest.ir}`,
      undefined,
      `export the model for operator set ${newest.opset} or older`,
    ),
  ];
};

const all: readonly Lint[] = [
  tooNew,
  noKernelForBits,
  accuracyLevel,
  unsignedWeights,
  signedActivations,
  biasZeroPoint,
  unfused,
  unreadTensors,
  decodedEveryRun,
  blockedProduct,
  decodedAtLoad,
  largeFloats,
  doubles,
];
