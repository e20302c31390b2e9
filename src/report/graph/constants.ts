/**
 * What a model knows before it runs: the tensors its file stores, and the values that nodes compute from these alone. Where such a
 * value enters a node that needs more than constants, it is a use: a weight, a shape, a scale.
 */
import { subgraphs } from "#model/attributes";
import { decoderCall, decoderDomain } from "#model/decoderCall";
import { functionBody } from "#model/functions";
import type { FunctionDef, Graph, Model, Node, TensorRef } from "#model/model";
import { sizeOf } from "#model/tensor";
import { sortNodes } from "#model/topology";
import { weightBytes } from "#model/weights";

/** A tensor that the file stores: an initializer, or the attribute of a node. */
export interface StoredTensor {
  /** The initializer's name; of a Constant node, its output's. */
  readonly name: string;
  readonly bytes: number;
  /** Undefined for a sparse tensor, which is passed through unread. */
  readonly ref: TensorRef | undefined;
}

/** A value known before anything runs. */
export interface Constant {
  readonly value: string;
  /** Undefined: stored as it is. */
  readonly node: Node | undefined;
  /** One per input of the node; undefined where the node omits it. */
  readonly inputs: readonly (Constant | undefined)[];
  /** The stored tensor that it is mostly made of; undefined where nothing is stored (a number in an attribute). */
  readonly primary: StoredTensor | undefined;
}

export interface ConstantUse {
  readonly constant: Constant;
  /** Undefined: the value is an output of its graph. */
  readonly node: Node | undefined;
  /** Index among the node's inputs; −1 for an output of a graph. */
  readonly input: number;
}

export interface Constants {
  /** Every tensor of the file once, in file order: main graph, subgraphs where they stand, functions. */
  readonly stored: readonly StoredTensor[];
  /** Every constant, each after those it is computed from. */
  readonly all: readonly Constant[];
  readonly uses: readonly ConstantUse[];
  /** Nodes whose outputs are constants, Constant nodes included. */
  readonly nodes: ReadonlySet<Node>;
  /** By node, one per input, for nodes that are no constants themselves. */
  readonly operands: ReadonlyMap<Node, readonly (Constant | undefined)[]>;
}

export interface FindConstantsOptions {
  /**
   * Which nodes are evaluated before the model runs. Default: all whose inputs are constants and which are deterministic, which
   * groups what belongs together; `evaluatedAtLoad` is what runtimes really do.
   */
  readonly evaluates?: (node: Node) => boolean;
}

/** What runtimes evaluate when they load a model: all constant nodes but DequantizeLinear, which stays to be fused or run. */
export function evaluatedAtLoad(node: Node): boolean {
  return node.op !== "DequantizeLinear";
}

const random = new Set([
  "RandomNormal",
  "RandomUniform",
  "RandomNormalLike",
  "RandomUniformLike",
  "Bernoulli",
  "Multinomial",
]);

/** Finds them in the main graph, its subgraphs, and the bodies of functions, but for those that decode weights of our own files. */
export function findConstants(model: Model, options: FindConstantsOptions = {}): Constants {
  const search = new Search(model.functions, options.evaluates ?? (() => true));
  search.visit(model.graph, undefined);
  for (const fn of model.functions) {
    // the tables that tell what a byte holds are part of how, not of what
    if (fn.domain === decoderDomain) continue;
    const call: Node = { ...fnCall, domain: fn.domain, op: fn.name, inputs: fn.inputs, outputs: fn.outputs };
    search.visit(functionBody(fn, call), undefined);
  }
  return search;
}

const fnCall = { name: "", overload: "", attributes: new Map(), doc: "", metadata: new Map() } as const;

interface Scope {
  readonly values: Map<string, Constant | undefined>;
  readonly outer: Scope | undefined;
}

class Search implements Constants {
  readonly stored: StoredTensor[] = [];
  readonly all: Constant[] = [];
  readonly uses: ConstantUse[] = [];
  readonly nodes = new Set<Node>();
  readonly operands = new Map<Node, readonly (Constant | undefined)[]>();
  readonly #functions: readonly FunctionDef[];
  readonly #evaluates: (node: Node) => boolean;

  constructor(functions: readonly FunctionDef[], evaluates: (node: Node) => boolean) {
    this.#functions = functions;
    this.#evaluates = evaluates;
  }

  visit(graph: Graph, outer: Scope | undefined): void {
    const scope: Scope = { values: new Map(), outer };
    for (const { name } of graph.inputs) scope.values.set(name, undefined);
    for (const [name, ref] of graph.initializers) this.#add(scope, storedConstant(this.#store(name, ref)));
    for (const [name, bytes] of graph.sparse ?? []) {
      const tensor = { name, bytes: bytes.byteLength, ref: undefined };
      this.stored.push(tensor);
      this.#add(scope, storedConstant(tensor));
    }
    for (const node of sortNodes(graph.nodes)) this.#node(node, scope);
    for (const { name } of graph.outputs) {
      const constant = lookUp(scope, name);
      if (constant !== undefined) this.uses.push({ constant, node: undefined, input: -1 });
    }
  }

  #add(scope: Scope, constant: Constant): void {
    scope.values.set(constant.value, constant);
    this.all.push(constant);
  }

  #store(name: string, ref: TensorRef): StoredTensor {
    const tensor = { name, bytes: weightBytes(ref), ref };
    this.stored.push(tensor);
    return tensor;
  }

  #node(node: Node, scope: Scope): void {
    const own = this.#attributeTensors(node);
    if (node.op === "Constant" && (node.domain === "" || node.domain === "ai.onnx")) {
      this.nodes.add(node);
      this.#add(scope, { value: node.outputs[0], node, inputs: [], primary: own });
      return;
    }
    const inputs = node.inputs.map((name) => (name === "" ? undefined : lookUp(scope, name)));
    const given = node.inputs.filter((name) => name !== "").length;
    const known = inputs.filter((constant) => constant !== undefined).length;
    const carried = subgraphs(node);
    if (given > 0 && known === given && carried.length === 0 && !random.has(node.op) && this.#evaluates(node)) {
      this.nodes.add(node);
      const decoder = decoderCall(node, this.#functions);
      const primary = decoder === undefined ? primaryOf(node, inputs) : inputs[decoder.codes[0].input]?.primary;
      for (const value of node.outputs) this.#add(scope, { value, node, inputs, primary });
      return;
    }
    for (const value of node.outputs) scope.values.set(value, undefined);
    this.operands.set(node, inputs);
    for (const [input, constant] of inputs.entries()) {
      if (constant !== undefined) this.uses.push({ constant, node, input });
    }
    for (const graph of carried) this.visit(graph, scope);
  }

  /** Stores what the node's attributes hold and returns the tensor that a Constant node gives. */
  #attributeTensors(node: Node): StoredTensor | undefined {
    let value: StoredTensor | undefined;
    const [output = node.name] = node.outputs;
    for (const [name, attribute] of node.attributes) {
      if (attribute.kind === "tensor") {
        const stored = this.#store(name === "value" ? output : `${output}.${name}`, attribute.value);
        if (name === "value") value = stored;
      } else if (attribute.kind === "tensors") {
        for (const [i, ref] of attribute.value.entries()) this.#store(`${output}.${name}.${i}`, ref);
      }
    }
    return value;
  }
}

function storedConstant(tensor: StoredTensor): Constant {
  return { value: tensor.name, node: undefined, inputs: [], primary: tensor };
}

function lookUp(scope: Scope | undefined, name: string): Constant | undefined {
  for (let at = scope; at !== undefined; at = at.outer) if (at.values.has(name)) return at.values.get(name);
  return undefined;
}

/** Elements that are codes when they are stored. Numbers of 32 bits and more are what they are. */
const codeTypes = /^(u?int(2|4|8|16)|b?float(16|8.*|4.*))$/;

export function isCodes(tensor: StoredTensor | undefined): boolean {
  return codeTypes.test(tensor?.ref?.element ?? "");
}

/** A scale beside codes never has this many times as many elements as there are codes. */
const codesOverFloats = 16;

/**
 * The stored tensor that a node's result is mostly made of: what is looked up where codes look it up; else the largest, codes before the
 * floats that scale them; of equals the first.
 */
function primaryOf(node: Node, inputs: readonly (Constant | undefined)[]): StoredTensor | undefined {
  const looked = node.op === "Gather" || node.op === "GatherElements" ? inputs[1]?.primary : undefined;
  if (looked !== undefined && isCodes(looked)) return looked;
  const weightOf = (tensor: StoredTensor): number => elementsOf(tensor) * (isCodes(tensor) ? codesOverFloats : 1);
  let found: StoredTensor | undefined;
  for (const constant of inputs) {
    const primary = constant?.primary;
    if (primary !== undefined && (found === undefined || weightOf(primary) > weightOf(found))) found = primary;
  }
  return found;
}

/** Elements of a stored tensor; of a sparse one, which is not read, none. */
export function elementsOf(tensor: StoredTensor): number {
  return tensor.ref === undefined ? 0 : sizeOf(tensor.ref.dims);
}

/** The input of a constant's node that its primary tensor comes through; undefined where the constant is stored itself. */
export function sourceOf(constant: Constant): Constant | undefined {
  return constant.inputs.find((input) => input !== undefined && input.primary === constant.primary);
}
