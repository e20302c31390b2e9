import type { Model, Node } from "#model/model";
import { GraphDraft } from "#model/edit";
import { findOp } from "#model/ops/index";
import { type Constants, findConstants } from "#report/graph/constants";
import type { ComparedValue } from "#report/graph/comparedValues";
import { type Links, linksOf } from "#report/graph/fusion";
import type { Merged } from "#report/graph/mergeModels";
import type { Pair } from "#report/graph/tapDifferences";

/** A layer of the float model with weights, and the node that does its work in the quantized model. */
export interface PairedLayer {
  readonly node: Node;
  /** Where the layer is compared: its output, or what normalization, a constant sum and an activation make of it. */
  readonly compared: ComparedValue;
  /** Whether its result is an output of the model, at most activated and moved. */
  readonly answers: boolean;
  /**
   * The quantized model's node as it would compute on what the float model's reads: its own constants, and the float inputs. Its result
   * corresponds to `value`. Undefined where it has another form (integer operators read codes).
   */
  readonly twin:
    | { readonly node: Node; readonly inputs: readonly (string | undefined)[]; readonly value: string }
    | undefined;
}

/** Operators whose constants are weights. Others with constants, such as a sum with a bias, go with the layer before them. */
const weighted = new Set(
  "Conv ConvTranspose Gemm MatMul Einsum Gather LSTM GRU RNN DeformConv FusedMatMul MatMulNBits GatherBlockQuantized".split(
    " ",
  ),
);

/** The layers with weights whose result is among the compared values. */
export function pairedLayers(float: Model, quantized: Model, values: readonly ComparedValue[]): PairedLayer[] {
  const byValue = new Map(values.map((each) => [each.value, each]));
  const links = linksOf(float.graph);
  const { producers } = linksOf(quantized.graph);
  const [before, after] = [findConstants(float), findConstants(quantized)];
  return float.graph.nodes.flatMap((node): PairedLayer[] => {
    const operands = before.operands.get(node) ?? [];
    if (!weighted.has(node.op) || !operands.some((constant) => (constant?.primary?.ref?.dims.length ?? 0) >= 2))
      return [];
    const path = resultPath(node, links, before);
    const at = path.findIndex(({ value }) => byValue.has(value));
    const compared = at < 0 ? undefined : byValue.get(path[at].value);
    if (compared === undefined) return [];
    let twin = behindQuantizer(compared.twin, producers);
    let value = compared.value;
    if (at > 0 && isActivation(path[at].node)) {
      // the activation is a node there too, or its quantizer performs it
      if (twin?.op === path[at].node.op) twin = producers.get(twin.inputs[0]);
      value = path[at - 1].value;
    }
    const inputs = twin && fedFloat(node, before, twin, after, producers);
    const fed = twin && inputs && { node: twin, inputs, value };
    return [{ node, compared, answers: isAnswer(compared.value, links), twin: fed }];
  });
}

/** A node's output, and what it becomes while only one node reads it: normalized, summed with a constant, activated. */
function resultPath(
  node: Node,
  links: Links,
  { operands }: Constants,
): { readonly value: string; readonly node: Node }[] {
  const path = [{ value: node.outputs[0], node }];
  while (path.length <= 4 && !isActivation(path[path.length - 1].node)) {
    const { value } = path[path.length - 1];
    const [reader, ...others] = links.readers.get(value) ?? [];
    if (reader === undefined || others.length > 0 || links.outputs.has(value) || reader.domain !== "") break;
    const known = operands.get(reader)?.filter((constant) => constant !== undefined).length ?? 0;
    const affine = reader.op === "BatchNormalization" || (/^(Add|Sub|Mul|Div)$/.test(reader.op) && known === 1);
    if (!affine && !isActivation(reader)) break;
    path.push({ value: reader.outputs[0], node: reader });
  }
  return path;
}

/** Whether a value is an output of the graph, or becomes one by moves and activations alone. */
function isAnswer(value: string, links: Links): boolean {
  const seen = new Set<string>();
  for (let at = value; !seen.has(at); ) {
    if (links.outputs.has(at)) return true;
    seen.add(at);
    const [reader, ...others] = links.readers.get(at) ?? [];
    const passes =
      reader !== undefined && (findOp(reader.domain, reader.op)?.cost === undefined || lastActivations.has(reader.op));
    if (!passes || others.length > 0) return false;
    [at] = reader.outputs;
  }
  return false;
}

const lastActivations = new Set(["Softmax", "LogSoftmax", "Sigmoid", "Relu", "Clip", "Tanh"]);

function isActivation({ op, domain }: Node): boolean {
  return domain === "" && (op === "Relu" || op === "Clip");
}

/** The node that computes a value of the quantized model, before Q and DQ. */
function behindQuantizer(value: string, producers: ReadonlyMap<string, Node>): Node | undefined {
  const last = producers.get(value);
  const quantize = last?.op === "DequantizeLinear" ? producers.get(last.inputs[0]) : undefined;
  return quantize?.op === "QuantizeLinear" ? producers.get(quantize.inputs[0]) : last;
}

/** By input of the twin, the float value to feed it; undefined for its own constants. Undefined as a whole where they do not match. */
function fedFloat(
  node: Node,
  before: Constants,
  twin: Node,
  after: Constants,
  producers: ReadonlyMap<string, Node>,
): readonly (string | undefined)[] | undefined {
  const computed = (each: Node, { operands }: Constants): number[] =>
    [...each.inputs.keys()].filter((i) => each.inputs[i] !== "" && operands.get(each)?.[i] === undefined);
  const [from, to] = [computed(node, before), computed(twin, after)];
  const integer = to.some((i) => /^(Dynamic)?QuantizeLinear$/.test(producers.get(twin.inputs[i])?.op ?? ""));
  if (from.length === 0 || from.length !== to.length || integer || !sameWork(node, twin)) return undefined;
  return twin.inputs.map((_, i) => (to.includes(i) ? node.inputs[from[to.indexOf(i)]] : undefined));
}

const likeMatMul = new Set(["MatMul", "MatMulNBits", "MatMulBnb4", "FusedMatMul"]);

function sameWork(a: Node, b: Node): boolean {
  return (
    (a.op === b.op && a.domain === b.domain) ||
    (likeMatMul.has(a.op) && likeMatMul.has(b.op)) ||
    (a.op === "Gather" && b.op === "GatherBlockQuantized")
  );
}

/**
 * Adds to the merged graph, for each layer whose twin can be fed what the float layer reads, a copy of the twin that is: it tells what
 * quantizing the layer's own weights does. `rows` gives the place of each layer's pair.
 */
export function addTrials(
  { model, renamed }: Merged,
  layers: readonly PairedLayer[],
): { readonly model: Model; readonly pairs: readonly Pair[]; readonly rows: readonly (number | undefined)[] } {
  const draft = new GraphDraft(model.graph);
  const own = new Map(draft.nodes().map((node) => [node.outputs[0], node]));
  const pairs: Pair[] = [];
  const rows = layers.map(({ twin }) => {
    const copied = twin && own.get(renamed(twin.node.outputs[0]));
    if (copied === undefined || twin === undefined) return undefined;
    const output = draft.freshName("lowbit_trial");
    const inputs = copied.inputs.map((name, i) => twin.inputs[i] ?? name);
    draft.add({ ...copied, name: output, inputs, outputs: [output] });
    return pairs.push({ value: twin.value, twin: output, quantizer: undefined }) - 1;
  });
  return { model: { ...model, graph: { ...model.graph, nodes: draft.nodes() } }, pairs, rows };
}
