/**
 * Computes beforehand what does not depend on the inputs, and removes what computes nothing: constant subgraphs, Shape
 * of shapes that are known, Identity, Dropout of inference, nodes and weights that nothing reads. The model computes
 * the same and its file does not grow: a result bigger than the weights it replaces stays a computation.
 */
import { LowbitError } from "#base/errors";
import { subgraphs, tensorAttribute } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import { functionOf } from "#model/functions";
import { loadConstants } from "#model/loadConstants";
import type { Attribute, Graph, Model, Node, TensorRef } from "#model/model";
import { constantOf } from "#model/ops/Constant";
import { findOp } from "#model/ops/index";
import { isConcrete } from "#model/ops/known";
import type { Known } from "#model/ops/types";
import { packedBytes, sizeOf, type Tensor } from "#model/tensor";
import { isQuantizing } from "#model/quantizing";
import { inferShapes, type ShapeMap, tensorOf } from "#model/shapes";
import { lazyWeight, readWeight, weight, weightBytes } from "#model/weights";

export interface FoldOptions {
  /** Bytes of weights that one node may be computed from. Default 64 MB: the reference operators are slow. */
  readonly maxBytes?: number;
  /** Bytes that one folded node may add to the file. Default 1,024: the size of a shape, never of a weight. */
  readonly maxGrowth?: number;
}

/**
 * The model with its constants folded. Quantization is left as it is (a folded DequantizeLinear would be a float weight
 * again), and so are functions and random operators. Graph inputs and outputs keep their names; untouched weights are
 * shared.
 */
export async function foldConstants(model: Model, options: FoldOptions = {}): Promise<Model> {
  const loaded = await loadConstants(model);
  // what the file says of its values may be stale; what is computed from it would be wrong
  const shapes = await inferShapes(loaded, { declared: "ignore" });
  const folding = new Folding(loaded, shapes, { maxBytes: 64 * 2 ** 20, maxGrowth: 1024, ...options });
  return { ...loaded, graph: await folding.graph(loaded.graph, new Map(), []) };
}

/** Results up to this size are kept in memory; larger ones are computed again when they are read. */
const heldBytes = 2 ** 20;

/** A node that takes longer is left to the runtime: about a second here. */
const maxOperations = 100_000_000;

class Folding {
  readonly #model: Model;
  readonly #shapes: ShapeMap;
  readonly #limits: Required<FoldOptions>;

  constructor(model: Model, shapes: ShapeMap, limits: Required<FoldOptions>) {
    this.#model = model;
    this.#shapes = shapes;
    this.#limits = limits;
  }

  /** `outer`: constants of the graphs around; `scope`: all names there. */
  async graph(graph: Graph, outer: ReadonlyMap<string, TensorRef>, scope: Iterable<string>): Promise<Graph> {
    const draft = new GraphDraft(graph, scope);
    const constant = (name: string): TensorRef | undefined =>
      draft.isInput(name) || draft.producer(name) !== undefined
        ? undefined
        : (draft.initializer(name) ?? outer.get(name));
    for (const original of draft.nodes()) {
      const node = draft.current(original);
      if (node === undefined || (isIdentity(node, constant) && draft.bypass(node))) continue;
      const results = node.outputs.some((name) => draft.isOutput(name))
        ? undefined
        : await this.#fold(node, draft, constant);
      if (results !== undefined) {
        draft.remove(node);
        for (const ref of results) draft.setInitializer(ref);
      } else if (subgraphs(node).length > 0) {
        const visible = new Map([...outer, ...[...draft.initializers()].filter(([name]) => !draft.isInput(name))]);
        draft.update(node, { attributes: await this.#attributes(node, visible, draft.names) });
      }
    }
    draft.removeUnused();
    return draft.finish();
  }

  async #attributes(
    node: Node,
    outer: ReadonlyMap<string, TensorRef>,
    scope: Iterable<string>,
  ): Promise<Node["attributes"]> {
    const attributes = new Map<string, Attribute>();
    for (const [name, attribute] of node.attributes) {
      if (attribute.kind === "graph")
        attributes.set(name, { ...attribute, value: await this.graph(attribute.value, outer, scope) });
      else attributes.set(name, attribute);
    }
    return attributes;
  }

  /** Weights that can stand for all outputs of a node; undefined where they cannot. */
  async #fold(
    node: Node,
    draft: GraphDraft,
    constant: (name: string) => TensorRef | undefined,
  ): Promise<TensorRef[] | undefined> {
    if (!isFoldable(this.#model, node)) return undefined;
    const names = node.outputs.filter((name) => name !== "");
    if (node.op === "Constant") {
      const ref = tensorAttribute(node, "value") ?? literal(node);
      return ref && [{ ...ref, name: names[0] }];
    }
    const known = names.map((name) => this.#shapes.get(name));
    const freed = new Set(
      node.inputs.filter((name) => draft.initializer(name) !== undefined && diesWith(draft, node, name)),
    );
    const freedBytes = [...freed].reduce((sum, name) => sum + weightBytes(draft.initializer(name) as TensorRef), 0);
    const fits = (bytes: number): boolean => bytes - freedBytes <= this.#limits.maxGrowth;
    const inferred = known.map((value) => value && tensorOf(value));
    if (inferred.every((value) => value !== undefined)) {
      const refs = inferred.map((value, i) => weight(names[i], value));
      return fits(totalBytes(refs)) ? refs : undefined;
    }
    if (!known.every((value) => fits(bytesOf(value)))) return undefined;
    const inputs = node.inputs.map((name) => (name === "" ? undefined : constant(name)));
    if (node.inputs.some((name, i) => name !== "" && inputs[i] === undefined)) return undefined;
    const given = inputs.filter((ref) => ref !== undefined);
    if (totalBytes(given) > this.#limits.maxBytes || this.#operations(node, given, known) > maxOperations)
      return undefined;
    return this.#evaluate(node, inputs, fits);
  }

  #operations(node: Node, inputs: readonly TensorRef[], outputs: readonly (Known | undefined)[]): number {
    const cost = findOp(node.domain, node.op)?.cost;
    if (cost === undefined || !outputs.every((known) => known !== undefined && isConcrete(known.shape))) return 0;
    const known = inputs.map(({ element, dims }): Known => ({ element, shape: dims }));
    const { macs, flops } = cost(node, known, outputs as readonly Known[]);
    return macs + flops;
  }

  async #evaluate(
    node: Node,
    inputs: readonly (TensorRef | undefined)[],
    fits: (bytes: number) => boolean,
  ): Promise<TensorRef[] | undefined> {
    const run = async (): Promise<readonly Tensor[]> => {
      const values = await Promise.all(inputs.map(async (ref) => (ref === undefined ? undefined : readWeight(ref))));
      const opset = this.#model.opsets.get(node.domain) ?? 1;
      return findOp(node.domain, node.op)?.forward?.({ node, opset, inputs: values, runGraph: () => [] }) ?? [];
    };
    const results = await run().catch((error: unknown) => {
      if (error instanceof LowbitError) return []; // whoever runs the model will say what is wrong with it
      throw error;
    });
    const refs = node.outputs.flatMap((name, i): TensorRef[] => {
      if (name === "" || results[i] === undefined) return [];
      const ref = weight(name, results[i]);
      return weightBytes(ref) <= heldBytes ? [ref] : [lazyWeight(ref, async () => (await run())[i])];
    });
    const complete = refs.length === node.outputs.filter((name) => name !== "").length;
    return complete && fits(totalBytes(refs)) ? refs : undefined;
  }
}

function isFoldable(model: Model, node: Node): boolean {
  if (node.domain !== "" && node.domain !== "ai.onnx") return false;
  return !isQuantizing(node) && subgraphs(node).length === 0 && functionOf(model, node) === undefined;
}

/** Whether a node hands its first input through: Identity, and Dropout outside training. */
function isIdentity(node: Node, constant: (name: string) => TensorRef | undefined): boolean {
  if (node.domain !== "" && node.domain !== "ai.onnx") return false;
  if (node.op === "Identity") return true;
  if (node.op !== "Dropout") return false;
  const training = node.inputs[2] ?? "";
  if (training === "") return true;
  const data = constant(training)?.data;
  return data?.kind === "bytes" && data.bytes[0] === 0;
}

function literal(node: Node): TensorRef | undefined {
  const value = constantOf(node);
  return value && weight("", value);
}

/** Whether a weight is of no more use once the node is gone. */
function diesWith(draft: GraphDraft, node: Node, name: string): boolean {
  return !draft.isOutput(name) && !draft.isInput(name) && draft.consumers(name).every((reader) => reader === node);
}

/** Bytes of a value whose shape is known; 0 where it is not, because then they are counted after it was computed. */
function bytesOf(known: Known | undefined): number {
  if (known?.element === undefined || !isConcrete(known.shape)) return 0;
  return packedBytes(known.element, sizeOf(known.shape));
}

function totalBytes(refs: readonly TensorRef[]): number {
  return refs.reduce((sum, ref) => sum + weightBytes(ref), 0);
}
