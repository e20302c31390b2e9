/** The numbers that a quantized weight stands for, whatever nodes or operators decode it. */
import { unpackBits } from "#math/packing";
import { createNode, intAttribute } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import { interpret } from "#model/interpreter";
import type { Model, Node, TensorRef } from "#model/model";
import { elementTypes, int64, sizeOf, type Tensor, toNumbers } from "#model/tensor";
import { readWeight, weight } from "#model/weights";
import type { ConstantGroup } from "#report/constantGroups";
import { operandOfInput } from "#report/graph/quantizedOperands";

/**
 * Decodes a weight of the main graph, in the shape `group.stored.shape`. Undefined where nothing here knows how (MatMulBnb4, codes in a
 * subgraph) or the result has more than `limit` elements: decoding holds it in memory.
 */
export async function decodedWeight(
  model: Model,
  group: ConstantGroup,
  limit = 2 ** 23,
): Promise<Float32Array | Float64Array | undefined> {
  const { stored, codes } = group;
  const ref = model.graph.initializers.get(codes.name);
  if (sizeOf(stored.shape) > limit) return undefined;
  if (stored.value !== codes.name) return evaluated(model, stored.value);
  const use = group.uses.find(({ constant }) => constant.primary === codes);
  if (ref === undefined || use?.node === undefined) return undefined;
  const { node, input } = use;
  const operand = operandOfInput(node, input);
  const part = (index: number | undefined): TensorRef | undefined =>
    index === undefined ? undefined : model.graph.initializers.get(node.inputs[index] ?? "");
  if (operand?.codes !== input) return undefined;
  const later = group.members.find((tensor) => tensor !== codes && tensor.ref?.element === "float32")?.ref;
  const [scale, zero] = [part(operand.scale) ?? later, part(operand.zero)];
  if (scale === undefined || node.op === "MatMulBnb4") return undefined;
  const parts = { codes: ref, scale, zero };
  if (node.op === "MatMulNBits") return blocks(node, parts);
  return node.op === "GatherBlockQuantized" ? rows(model, node, parts) : affine(model, node, parts);
}

interface Parts {
  readonly codes: TensorRef;
  readonly scale: TensorRef;
  readonly zero: TensorRef | undefined;
}

/** A value that constant nodes of the main graph compute. */
async function evaluated(model: Model, value: string): Promise<Float32Array | Float64Array | undefined> {
  const draft = new GraphDraft({ ...model.graph, outputs: [output(value)] });
  if (draft.producer(value) === undefined) return undefined;
  draft.removeUnused();
  return run({ ...model, graph: { ...draft.finish(), inputs: [], values: new Map() } }, value);
}

async function run(model: Model, value: string): Promise<Float32Array | Float64Array> {
  const interpreter = await interpret(model);
  return toNumbers(interpreter.run({})[value]);
}

function output(name: string): { name: string; type: undefined; doc: string; metadata: ReadonlyMap<string, string> } {
  return { name, type: undefined, doc: "", metadata: new Map() };
}

/** A graph of these nodes and weights alone, at an operator set that has every element type. */
function alone(model: Model, nodes: readonly Node[], weights: readonly TensorRef[], value: string): Model {
  const initializers = new Map(weights.map((ref) => [ref.name, ref]));
  const graph = { ...model.graph, nodes, initializers, inputs: [], outputs: [output(value)], values: new Map() };
  return { ...model, graph, opsets: new Map([...model.opsets, ["", 21]]), functions: [] };
}

/** (codes − zero) · scale, one of each, or one per output channel. */
async function affine(model: Model, node: Node, { codes, scale, zero }: Parts): Promise<Float32Array | Float64Array> {
  const nodes = [createNode("Cast", [codes.name], ["numbers"], { to: elementTypes.float32.code })];
  const weights: TensorRef[] = [codes];
  const apply = (op: string, from: string, operand: TensorRef, to: string): void => {
    const shape = weight(
      `${to}/shape`,
      int64([codes.dims.length], parameterDims(node, codes.dims, sizeOf(operand.dims))),
    );
    weights.push({ ...operand, name: `${to}/operand` }, shape);
    nodes.push(
      createNode("Cast", [`${to}/operand`], [`${to}/number`], { to: elementTypes.float32.code }),
      createNode("Reshape", [`${to}/number`, shape.name], [`${to}/spread`]),
      createNode(op, [from, `${to}/spread`], [to]),
    );
  };
  if (zero !== undefined) apply("Sub", "numbers", zero, "centred");
  apply("Mul", zero === undefined ? "numbers" : "centred", scale, "decoded");
  return run(alone(model, nodes, weights, "decoded"), "decoded");
}

/** Dims that a scale of `count` elements needs to spread over the codes: convolutions have a filter first, products a column last. */
function parameterDims(node: Node, dims: readonly number[], count: number): number[] {
  const first =
    node.op === "QLinearConv" ||
    node.op === "ConvInteger" ||
    (node.op === "QGemm" && intAttribute(node, "transB", 0) !== 0);
  const last = dims.length - 1;
  if (node.op === "DynamicQuantizeLSTM")
    return dims.map((dim, axis) => (axis === 0 ? dim : axis === last ? count / dims[0] : 1));
  return dims.map((_, axis) => (axis === (first ? 0 : last) ? count : 1));
}

/** The whole table, looked up row by row with the node's own operator. */
async function rows(model: Model, node: Node, { codes, scale, zero }: Parts): Promise<Float32Array | Float64Array> {
  const axis = intAttribute(node, "gather_axis", 0);
  const count = codes.dims[axis < 0 ? axis + codes.dims.length : axis];
  const indices = weight(
    "indices",
    int64(
      [count],
      Array.from({ length: count }, (_, i) => i),
    ),
  );
  const inputs = [codes.name, indices.name, scale.name, ...(zero === undefined ? [] : [zero.name])];
  const lookup: Node = { ...node, inputs, outputs: ["table"] };
  const weights = [codes, indices, scale, ...(zero === undefined ? [] : [zero])];
  return run(alone(model, [lookup], weights, "table"), "table");
}

/** MatMulNBits keeps W as [N, K]; the float weight was [K, N]. */
async function blocks(node: Node, { codes, scale, zero }: Parts): Promise<Float64Array> {
  const [columns, depth] = [intAttribute(node, "N", 0), intAttribute(node, "K", 0)];
  const [bits, size] = [intAttribute(node, "bits", 4), intAttribute(node, "block_size", 32)];
  const perColumn = Math.ceil(depth / size);
  const packed = unpackBits((await readWeight(codes)).data as Uint8Array, bits, columns * perColumn * size);
  const scales = toNumbers(await readWeight(scale));
  const zeros = zero === undefined ? undefined : zeroPoints(await readWeight(zero), columns, perColumn, bits);
  const out = new Float64Array(depth * columns);
  for (let n = 0; n < columns; n++) {
    for (let k = 0; k < depth; k++) {
      const block = n * perColumn + Math.floor(k / size);
      const centre = zeros === undefined ? 2 ** (bits - 1) : zeros[block];
      out[k * columns + n] = (packed[n * perColumn * size + k] - centre) * scales[block];
    }
  }
  return out;
}

/** One a block; packed ones start each column at a byte. */
function zeroPoints(zero: Tensor, columns: number, perColumn: number, bits: number): ArrayLike<number> {
  if (zero.type !== "uint8") return toNumbers(zero);
  const stride = Math.ceil((perColumn * bits) / 8);
  const bytes = zero.data as Uint8Array;
  const found: number[] = [];
  for (let n = 0; n < columns; n++)
    found.push(...unpackBits(bytes.subarray(n * stride, (n + 1) * stride), bits, perColumn));
  return found;
}
