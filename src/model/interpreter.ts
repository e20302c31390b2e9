/**
 * Runs a graph by the operators' own definitions: slow, readable, and the same everywhere. It is what other runtimes
 * are compared with, what constants are folded with, and what runs where nothing else does.
 */
import { LowbitError, withPlace } from "#base/errors";
import { functionBody, functionOf, reachableNodes, refuseRecursion } from "#model/functions";
import { loadConstants } from "#model/loadConstants";
import type { FunctionDef, Graph, Model, Node } from "#model/model";
import { findOp } from "#model/ops/index";
import { placeOf } from "#model/ops/operand";
import type { Tensors } from "#model/session";
import type { Tensor } from "#model/tensor";
import { readsOf, sortNodes } from "#model/topology";
import { loadedWeight } from "#model/weights";

export interface Interpreter {
  /**
   * Computes values of the main graph: its outputs, or those named by `fetches`, which may be any. Only what they need
   * is run, and a value is let go after its last use.
   *
   * Throws model/missing-tensor for an input or a fetch that is not there, model/shape and model/type for tensors that
   * an operator cannot take, limit/memory for one that would be too big, and runtime/run for what else goes wrong in a
   * node.
   */
  run(feeds: Tensors, options?: RunOptions): Record<string, Tensor>;
}

interface RunOptions {
  readonly fetches?: readonly string[];
  /** Called before each node, down to subgraphs and functions; what it throws stops the run. */
  readonly beforeNode?: (node: Node) => void;
}

/** Throws model/unsupported-operator, naming them all, unless every operator that the model may run is known. */
export function requireOperators(model: Model): void {
  const missing = reachableNodes(model).filter((node) => findOp(node.domain, node.op)?.forward === undefined);
  if (missing.length === 0) return;
  const names = new Set(missing.map(({ domain, op }) => (domain === "" ? op : `${domain}:${op}`)));
  throw new LowbitError("model/unsupported-operator", `cannot run ${[...names].sort().join(", ")}`, {
    at: placeOf(missing[missing.length - 1]),
    hint: "run the model with ONNX Runtime, which knows more operators",
  });
}

/** Reads the model's weights into memory and gets ready to run it. */
export async function interpret(model: Model): Promise<Interpreter> {
  requireOperators(model);
  const loaded = await loadConstants(model, { maxBytes: Infinity });
  return { run: (feeds, options = {}) => new Run(loaded, options.beforeNode).main(feeds, options.fetches) };
}

/** Values by name, and where to look for what is not among them. */
interface Scope {
  readonly values: Map<string, Tensor>;
  readonly outer: Scope | undefined;
  /** Operator sets of the graph or function that is being run. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly calls: readonly FunctionDef[];
}

function find(scope: Scope | undefined, name: string): Tensor | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    const value = at.values.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** One run of a model: holds the bodies of the functions it called, so that a loop binds each call once. */
class Run {
  readonly #model: Model;
  readonly #beforeNode: (node: Node) => void;
  readonly #bodies = new Map<Node, Graph>();

  constructor(model: Model, beforeNode: (node: Node) => void = () => {}) {
    this.#model = model;
    this.#beforeNode = beforeNode;
  }

  main(feeds: Tensors, fetches?: readonly string[]): Record<string, Tensor> {
    const { graph, opsets } = this.#model;
    const scope: Scope = { values: new Map(), outer: undefined, opsets, calls: [] };
    const wanted = fetches ?? graph.outputs.map(({ name }) => name);
    for (const { name } of graph.inputs) {
      const fed = feeds[name];
      if (fed !== undefined) scope.values.set(name, fed);
    }
    this.#execute(graph, wanted, scope);
    return Object.fromEntries(wanted.map((name) => [name, this.#require(scope, name)]));
  }

  /** Runs the nodes that `wanted` needs and leaves its values in the scope. */
  #execute(graph: Graph, wanted: readonly string[], scope: Scope): void {
    for (const [name, ref] of graph.initializers) {
      const value = scope.values.has(name) ? undefined : loadedWeight(ref);
      if (value !== undefined) scope.values.set(name, value);
    }
    const { nodes, lastReads } = scheduleOf(graph, wanted);
    for (const [index, node] of nodes.entries()) {
      this.#beforeNode(node);
      const inputs = node.inputs.map((name) => (name === "" ? undefined : this.#require(scope, name, node)));
      const outputs = this.#compute(node, inputs, scope);
      for (const [i, name] of node.outputs.entries()) {
        if (name === "") continue;
        if (outputs[i] === undefined) throw lacking(name, node);
        scope.values.set(name, outputs[i]);
      }
      for (const name of lastReads[index]) scope.values.delete(name);
    }
  }

  #compute(node: Node, inputs: readonly (Tensor | undefined)[], scope: Scope): readonly Tensor[] {
    const { calls, opsets } = scope;
    const fn = functionOf(this.#model, node);
    if (fn !== undefined) {
      refuseRecursion(calls, fn);
      let body = this.#bodies.get(node);
      if (body === undefined) this.#bodies.set(node, (body = functionBody(fn, node)));
      const given = inputs.filter((input) => input !== undefined);
      return this.#runGraph(body, given, { outer: undefined, opsets: fn.opsets, calls: [...calls, fn] });
    }
    const opset = opsets.get(node.domain) ?? 1;
    const runGraph = (graph: Graph, given: readonly Tensor[]) =>
      this.#runGraph(graph, given, { outer: scope, opsets, calls });
    try {
      return findOp(node.domain, node.op)?.forward?.({ node, opset, inputs, runGraph }) ?? [];
    } catch (error) {
      throw explained(error, node);
    }
  }

  #runGraph(graph: Graph, inputs: readonly Tensor[], around: Omit<Scope, "values">): Tensor[] {
    const values = new Map(graph.inputs.map(({ name }, i): [string, Tensor] => [name, inputs[i]]));
    const scope: Scope = { ...around, values };
    const wanted = graph.outputs.map(({ name }) => name);
    this.#execute(graph, wanted, scope);
    return wanted.map((name) => this.#require(scope, name));
  }

  #require(scope: Scope, name: string, node?: Node): Tensor {
    const value = find(scope, name);
    if (value === undefined) throw lacking(name, node);
    return value;
  }
}

function lacking(name: string, node?: Node): LowbitError {
  const where = node === undefined ? {} : placeOf(node);
  return new LowbitError("model/missing-tensor", `nothing gives a value to ${name}`, {
    at: { tensor: name, ...where },
  });
}

/** What goes wrong in a node says where; what no operator foresaw is still a typed error. */
function explained(error: unknown, node: Node): unknown {
  if (error instanceof LowbitError) return withPlace(error, placeOf(node));
  const code = error instanceof RangeError ? "limit/memory" : "runtime/run";
  const what = error instanceof Error ? error.message : String(error);
  return new LowbitError(code, `${node.op} failed: ${what}`, { at: placeOf(node), cause: error });
}

interface Schedule {
  readonly nodes: readonly Node[];
  /** Per node the values that nothing needs after it. */
  readonly lastReads: readonly (readonly string[])[];
}

const schedules = new WeakMap<Graph, Map<string, Schedule>>();

function scheduleOf(graph: Graph, wanted: readonly string[]): Schedule {
  let known = schedules.get(graph);
  if (known === undefined) schedules.set(graph, (known = new Map()));
  const key = JSON.stringify(wanted);
  let schedule = known.get(key);
  if (schedule === undefined) known.set(key, (schedule = makeSchedule(graph, wanted)));
  return schedule;
}

function makeSchedule(graph: Graph, wanted: readonly string[]): Schedule {
  const needed = new Set(wanted);
  const nodes: Node[] = [];
  const lastReads: string[][] = [];
  // values with a reader that comes later than the node at hand, or with none at all but the caller
  const alive = new Set(wanted);
  const own = new Set(graph.nodes.flatMap((node) => node.outputs));
  for (const node of sortNodes(graph.nodes).reverse()) {
    if (!node.outputs.some((name) => name !== "" && needed.has(name))) continue;
    const touched = [...new Set([...node.outputs, ...readsOf(node)])];
    lastReads.push(touched.filter((name) => own.has(name) && !alive.has(name)));
    nodes.push(node);
    for (const name of readsOf(node)) {
      needed.add(name);
      alive.add(name);
    }
  }
  return { nodes: nodes.reverse(), lastReads: lastReads.reverse() };
}
