/**
 * What every value of a graph will be before anything runs: element type and shape, and the content of small integer
 * tensors, through which shapes are computed. Each operator says what it knows (`Op.infer`); here they are asked in
 * order, and small constants are computed by running them.
 *
 * Nothing here gives up: an operator that is not known, or a node that makes no sense, leaves its outputs unknown and
 * the rest goes on.
 */
import { LowbitError } from "#base/errors";
import { subgraphs } from "#model/attributes";
import { functionBody, functionOf, refuseRecursion } from "#model/functions";
import { loadConstants } from "#model/loadConstants";
import type { Dim, FunctionDef, Graph, Model, Node, ValueInfo } from "#model/model";
import { findOp } from "#model/ops/index";
import { contentLimit, eitherOf, isConcrete, isInteger, knownTensor } from "#model/ops/known";
import { type Known, type Op, unknown } from "#model/ops/types";
import { isQuantizing } from "#model/quantizing";
import { allocate, fromNumbers, sizeOf, type Tensor } from "#model/tensor";
import { sortNodes } from "#model/topology";
import { loadedWeight } from "#model/weights";

export type ShapeMap = ReadonlyMap<string, Known>;

export interface InferOptions {
  /**
   * Shapes of inputs, by name: symbols that the file declares there get these values everywhere. → { input: [1, 3, 224,
   * 224] }
   */
  readonly inputShapes?: Readonly<Record<string, readonly number[]>>;
  /** Whether what the file says of its values may be used where nothing can be inferred. Default "use". */
  readonly declared?: "use" | "ignore";
}

/**
 * Types and shapes of all values, by name; those of subgraphs too (where two subgraphs use one name, what holds of
 * both).
 *
 * What the file itself says of its values is used only where nothing could be inferred (behind operators that are not
 * known), and without its dims if it contradicts what was inferred elsewhere: such notes often go stale when a model is
 * edited.
 */
export async function inferShapes(model: Model, options: InferOptions = {}): Promise<ShapeMap> {
  const loaded = await loadConstants(model);
  const symbols = bindSymbols(loaded.graph, options.inputShapes ?? {});
  const declared = declaredTypes(loaded.graph, symbols);
  const inferred = new Inference(loaded, symbols, options, new Map()).all();
  const complete = [...declared.keys()].every((name) => hasRank(inferred.get(name)));
  if (complete || options.declared === "ignore") return inferred;
  const stale = [...declared].some(([name, known]) => contradicts(inferred.get(name), known));
  const notes = stale ? new Map([...declared].map(([name, known]) => [name, withoutDims(known)])) : declared;
  return new Inference(loaded, symbols, options, notes).all();
}

/** Symbols with a known value, from shapes given for the inputs that declare them. */
function bindSymbols(graph: Graph, given: NonNullable<InferOptions["inputShapes"]>): ReadonlyMap<string, number> {
  const symbols = new Map<string, number>();
  for (const { name, type } of graph.inputs) {
    const dims = given[name];
    if (type?.kind !== "tensor" || dims === undefined) continue;
    for (const [axis, dim] of (type.shape ?? []).entries()) if (typeof dim === "string") symbols.set(dim, dims[axis]);
  }
  return symbols;
}

/** A type as the file declares it; "" and "?" are names for nothing. */
function declaredType(info: ValueInfo, symbols: ReadonlyMap<string, number>): Known {
  if (info.type?.kind !== "tensor") return unknown;
  const shape = info.type.shape?.map((dim): Dim => {
    if (typeof dim === "string") return dim === "" || dim === "?" ? null : (symbols.get(dim) ?? dim);
    return dim !== null && dim < 0 ? null : dim;
  });
  return { element: info.type.element, shape };
}

function declaredTypes(graph: Graph, symbols: ReadonlyMap<string, number>): Map<string, Known> {
  const infos = [...graph.values.values(), ...graph.outputs].filter(({ type }) => type !== undefined);
  const own = infos.map((info): [string, Known] => [info.name, declaredType(info, symbols)]);
  const inner = graph.nodes.flatMap(subgraphs).flatMap((subgraph) => [...declaredTypes(subgraph, symbols)]);
  return new Map([...inner, ...own]);
}

function hasRank(known: Known | undefined): boolean {
  return known?.element !== undefined && known.shape !== undefined;
}

function contradicts(inferred: Known | undefined, declared: Known): boolean {
  if (inferred?.element !== undefined && declared.element !== undefined && inferred.element !== declared.element)
    return true;
  const [a, b] = [inferred?.shape, declared.shape];
  if (a === undefined || b === undefined) return false;
  // a size that follows an input's symbol is not the number that some earlier run had there
  return a.length !== b.length || a.some((dim, axis) => dim !== null && typeof b[axis] === "number" && dim !== b[axis]);
}

function withoutDims({ element, shape }: Known): Known {
  return { element, shape: shape?.map(() => null) };
}

function fillGaps(inferred: Known, note: Known | undefined): Known {
  if (note === undefined) return inferred;
  return { ...inferred, element: inferred.element ?? note.element, shape: inferred.shape ?? note.shape };
}

interface Scope {
  readonly values: Map<string, Known>;
  readonly outer: Scope | undefined;
  readonly opsets: ReadonlyMap<string, number>;
  readonly calls: readonly FunctionDef[];
}

class Inference {
  readonly #model: Model;
  readonly #symbols: ReadonlyMap<string, number>;
  readonly #options: InferOptions;
  readonly #notes: ReadonlyMap<string, Known>;
  /** What was found last in each graph of the main graph's tree. */
  readonly #found = new Map<Graph, Map<string, Known>>();

  constructor(
    model: Model,
    symbols: ReadonlyMap<string, number>,
    options: InferOptions,
    notes: ReadonlyMap<string, Known>,
  ) {
    this.#model = model;
    this.#symbols = symbols;
    this.#options = options;
    this.#notes = notes;
  }

  all(): ShapeMap {
    const { graph, opsets } = this.#model;
    const values = new Map<string, Known>();
    for (const info of graph.inputs) values.set(info.name, this.#input(info));
    this.#infer(graph, { values, outer: undefined, opsets, calls: [] });
    const all = new Map<string, Known>();
    for (const [found, inside] of this.#found) {
      if (found === graph) continue;
      for (const [name, known] of inside)
        all.set(name, all.has(name) ? eitherOf(all.get(name) ?? unknown, known) : known);
    }
    for (const [name, known] of values) all.set(name, known);
    return all;
  }

  /** An input's dims: as given, as declared, or a symbol of its own for each that the file leaves open. → "image.0" */
  #input(info: ValueInfo): Known {
    const { element, shape } = declaredType(info, this.#symbols);
    const given = this.#options.inputShapes?.[info.name];
    return { element, shape: given ?? shape?.map((dim, axis) => dim ?? `${info.name}.${axis}`) };
  }

  #infer(graph: Graph, scope: Scope): Known[] {
    const { values } = scope;
    for (const [name, ref] of graph.initializers) {
      if (values.has(name)) continue; // an input with a default: the caller may give another
      const small = sizeOf(ref.dims) <= contentLimit ? loadedWeight(ref) : undefined;
      values.set(name, small === undefined ? { element: ref.element, shape: ref.dims } : knownTensor(small));
    }
    if (scope.calls.length === 0) this.#found.set(graph, values);
    for (const node of sortNodes(graph.nodes)) {
      const inputs = node.inputs.map((name) => (name === "" ? undefined : (lookUp(scope, name) ?? unknown)));
      const outputs = this.#node(node, inputs, scope);
      for (const [i, name] of node.outputs.entries()) {
        if (name !== "")
          values.set(
            name,
            fillGaps(plausible(outputs[i]), scope.calls.length === 0 ? this.#notes.get(name) : undefined),
          );
      }
    }
    return graph.outputs.map(({ name }) => lookUp(scope, name) ?? unknown);
  }

  #node(node: Node, inputs: readonly (Known | undefined)[], scope: Scope): readonly Known[] {
    const { calls, opsets } = scope;
    const inner = (graph: Graph, given: readonly Known[], around: Omit<Scope, "values">): readonly Known[] => {
      const values = new Map(graph.inputs.map(({ name }, i): [string, Known] => [name, given[i] ?? unknown]));
      return this.#infer(graph, { ...around, values });
    };
    try {
      const fn = functionOf(this.#model, node);
      if (fn !== undefined) {
        refuseRecursion(calls, fn);
        const given = inputs.filter((input) => input !== undefined);
        return inner(functionBody(fn, node), given, { outer: undefined, opsets: fn.opsets, calls: [...calls, fn] });
      }
      const op = findOp(node.domain, node.op);
      if (op === undefined) return [];
      const opset = opsets.get(node.domain) ?? 1;
      const inferGraph = (graph: Graph, given: readonly Known[]) =>
        inner(graph, given, { outer: scope, opsets, calls });
      const outputs = op.infer({ node, opset, inputs, inferGraph });
      return evaluate(op, node, opset, inputs, outputs) ?? outputs;
    } catch (error) {
      if (error instanceof LowbitError) return []; // a node that makes no sense: nothing is known of its outputs
      throw error;
    }
  }
}

function lookUp(scope: Scope | undefined, name: string): Known | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    const known = at.values.get(name);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** Dims that no tensor can have are not known. */
function plausible(known: Known | undefined): Known {
  if (known?.shape === undefined) return known ?? unknown;
  const possible = (dim: Dim): boolean => typeof dim !== "number" || (Number.isSafeInteger(dim) && dim >= 0);
  if (known.shape.every(possible)) return known;
  return { element: known.element, shape: known.shape.map((dim) => (possible(dim) ? dim : null)) };
}

/** The outputs themselves, where all inputs are small constants and the outputs are known to be small. */
function evaluate(
  op: Op,
  node: Node,
  opset: number,
  inputs: readonly (Known | undefined)[],
  outputs: readonly Known[],
): readonly Known[] | undefined {
  if (op.forward === undefined || subgraphs(node).length > 0 || isQuantizing(node)) return undefined;
  if (!outputs.every(({ shape }) => isConcrete(shape) && sizeOf(shape) <= contentLimit)) return undefined;
  if (outputs.every(({ value }) => value !== undefined)) return undefined;
  const constants = inputs.map((input) => input && tensorOf(input));
  if (inputs.some((input, i) => input !== undefined && constants[i] === undefined)) return undefined;
  const runGraph = (): never => {
    throw new LowbitError("model/unsupported-operator", `${node.op} runs a graph it does not carry`);
  };
  return op.forward({ node, opset, inputs: constants, runGraph }).map(knownTensor);
}

/** A value that is known element by element, as a tensor. */
export function tensorOf({ element, shape, content, value }: Known): Tensor | undefined {
  if (value !== undefined) return value;
  if (content === undefined || element === undefined || !isInteger(element) || !isConcrete(shape)) return undefined;
  // beyond 2⁵³ a number is not the integer it came from
  if (!content.every((dim) => typeof dim === "number" && Number.isSafeInteger(dim))) return undefined;
  if (element !== "int64" && element !== "uint64") return fromNumbers(element, shape, content as number[]);
  const data = allocate(element, content.length) as BigInt64Array;
  for (const [i, dim] of content.entries()) data[i] = BigInt(dim as number);
  return { type: element, dims: shape, data };
}
