/**
 * The structural rules of ONNX that a file may break although each message in it is well formed: names are defined once and before
 * they are used, operators come from imported sets, functions do not call themselves.
 * Source: onnx/checker.cc. Types and shapes are not judged here.
 */
import { type ErrorCode, LowbitError, type Place } from "#base/errors";
import { defaultLimits, type Limits } from "#base/limits";
import { subgraphs } from "#model/attributes";
import type { FunctionDef, Graph, Model, Node } from "#model/model";

/** Throws the first broken rule: `onnx/invalid`, `model/duplicate`, `model/missing-tensor` or `model/cycle`. */
export function validateModel(model: Model, limits: Limits = defaultLimits): void {
  if (model.opsets.size === 0)
    throw broken("onnx/invalid", "no operator set is imported", {}, "add an opset import for the domain ai.onnx");
  validateFunctions(model.functions, limits.onnxDepth);
  validateGraph(model.graph, { opsets: model.opsets, inFunction: false }, undefined);
}

function broken(code: ErrorCode, what: string, at: Place = {}, hint?: string): LowbitError {
  return new LowbitError(code, what, hint === undefined ? { at } : { at, hint });
}

interface Surroundings {
  readonly opsets: ReadonlyMap<string, number>;
  readonly inFunction: boolean;
}

/** The names visible at one place: those of the graph, then those of the graphs around it. */
class Scope {
  readonly names = new Set<string>();
  readonly nodes: readonly Node[];
  readonly outer: Scope | undefined;

  constructor(nodes: readonly Node[], outer: Scope | undefined) {
    this.nodes = nodes;
    this.outer = outer;
  }

  sees(name: string): boolean {
    return this.names.has(name) || this.outer?.sees(name) === true;
  }

  /** An input may hide an outer name; nothing may be defined twice in one graph. */
  define(name: string, what: string): void {
    if (this.names.has(name))
      throw broken("model/duplicate", `${what} ${name} is defined twice: a name has one definition`, { tensor: name });
    this.names.add(name);
  }
}

function validateGraph(graph: Graph, around: Surroundings, outer: Scope | undefined): void {
  const scope = new Scope(graph.nodes, outer);
  for (const input of graph.inputs) scope.define(input.name, "input");
  for (const name of graph.initializers.keys()) scope.define(name, "initializer");
  for (const name of graph.sparse?.keys() ?? []) scope.define(name, "sparse initializer");
  validateNodes(around, scope);
  for (const output of graph.outputs) {
    if (!scope.sees(output.name))
      throw broken("model/missing-tensor", `nothing computes the output ${output.name}`, { tensor: output.name });
  }
}

function validateNodes(around: Surroundings, scope: Scope): void {
  for (const node of scope.nodes) {
    const at = { node: node.name || (node.outputs[0] ?? ""), op: node.op };
    if (!around.opsets.has(node.domain)) {
      throw broken(
        "onnx/invalid",
        `${at.node} (${node.op}): the operator set ${node.domain || "ai.onnx"} is not imported`,
        at,
      );
    }
    for (const name of node.inputs) if (name !== "" && !scope.sees(name)) throw undefinedInput(name, at, scope);
    for (const [name, attribute] of node.attributes) {
      if (attribute.kind === "reference" && !around.inFunction)
        throw broken(
          "onnx/invalid",
          `${at.node}: attribute ${name} refers to a function's attribute outside a function`,
          at,
        );
    }
    for (const graph of subgraphs(node)) validateGraph(graph, around, scope);
    for (const name of node.outputs) {
      if (name === "") continue;
      if (scope.sees(name))
        throw broken(
          "model/duplicate",
          `${name} is computed by ${at.node} and defined elsewhere too: a name has one definition`,
          { ...at, tensor: name },
        );
      scope.names.add(name);
    }
  }
}

/** Why an input is not there: nothing makes it, or something that comes later. */
function undefinedInput(name: string, at: Place, scope: Scope): LowbitError {
  const place = { ...at, tensor: name };
  const reads = `${at.node} (${at.op}) reads ${name}`;
  let home: Scope | undefined = scope;
  while (home !== undefined && !home.nodes.some((node) => node.outputs.includes(name))) home = home.outer;
  if (home === undefined) return broken("model/missing-tensor", `${reads}, which nothing defines`, place);
  if (hasCycle(home.nodes)) return broken("model/cycle", `${reads}, which depends on it`, place);
  return broken("onnx/invalid", `${reads} before it is computed`, place, "put the nodes in topological order");
}

/** Kahn's algorithm over the nodes of one graph; what subgraphs read counts as read by their node. */
function hasCycle(nodes: readonly Node[]): boolean {
  const producer = new Map<string, number>();
  nodes.forEach((node, i) => node.outputs.forEach((name) => producer.set(name, i)));
  const users: number[][] = nodes.map(() => []);
  const waiting = nodes.map((node, i) => {
    const needed = new Set<number>();
    for (const name of namesRead(node)) {
      const from = producer.get(name);
      if (from !== undefined) needed.add(from);
    }
    for (const from of needed) users[from].push(i);
    return needed.size;
  });
  const ready = nodes.flatMap((_, i) => (waiting[i] === 0 ? [i] : []));
  for (let done = 0; done < ready.length; done++) {
    for (const user of users[ready[done]]) if (--waiting[user] === 0) ready.push(user);
  }
  return ready.length < nodes.length;
}

function* namesRead(node: Node): Iterable<string> {
  yield* node.inputs;
  for (const graph of subgraphs(node)) {
    for (const inner of graph.nodes) yield* namesRead(inner);
    for (const output of graph.outputs) yield output.name;
  }
}

function validateFunctions(functions: readonly FunctionDef[], depth: number): void {
  const byId = new Map<string, FunctionDef>();
  for (const definition of functions) {
    const id = idOf(definition.domain, definition.name, definition.overload);
    if (byId.has(id))
      throw broken("model/duplicate", `two functions are called ${definition.name}`, { op: definition.name });
    byId.set(id, definition);
  }
  refuseRecursion(byId, depth);
  for (const definition of functions) {
    const scope = new Scope(definition.nodes, undefined);
    for (const name of definition.inputs) scope.define(name, `function ${definition.name}: input`);
    validateNodes({ opsets: definition.opsets, inFunction: true }, scope);
    for (const name of definition.outputs) {
      if (!scope.sees(name))
        throw broken("model/missing-tensor", `function ${definition.name}: nothing computes the output ${name}`, {
          tensor: name,
        });
    }
    for (const name of definition.attributes) {
      if (definition.defaults.has(name))
        throw broken("onnx/invalid", `function ${definition.name} has attribute ${name} with and without a default`);
    }
  }
}

function idOf(domain: string, name: string, overload: string): string {
  return JSON.stringify([domain, name, overload]);
}

/** Longest chain of calls from each function, by repeated removal of those that only call settled ones: no recursion of our own. */
function refuseRecursion(byId: ReadonlyMap<string, FunctionDef>, depth: number): void {
  const callers = new Map<string, string[]>([...byId.keys()].map((id) => [id, []]));
  const waiting = new Map<string, number>();
  for (const [id, definition] of byId) {
    const called = new Set<string>();
    for (const node of allNodes(definition.nodes)) {
      const callee = idOf(node.domain, node.op, node.overload);
      if (byId.has(callee)) called.add(callee);
    }
    for (const callee of called) callers.get(callee)?.push(id);
    waiting.set(id, called.size);
  }
  let ready = [...byId.keys()].filter((id) => waiting.get(id) === 0);
  let settled = 0;
  for (let level = 1; ready.length > 0; level++) {
    if (level > depth)
      throw broken("onnx/limit", `functions call each other more than ${depth} deep`, {}, "raise onnxDepth");
    settled += ready.length;
    const next: string[] = [];
    for (const id of ready) {
      for (const caller of callers.get(id) ?? []) {
        const left = (waiting.get(caller) ?? 0) - 1;
        waiting.set(caller, left);
        if (left === 0) next.push(caller);
      }
    }
    ready = next;
  }
  if (settled === byId.size) return;
  const name = [...byId].find(([id]) => (waiting.get(id) ?? 0) > 0)?.[1].name ?? "";
  throw broken("model/cycle", `function ${name} calls itself, directly or through others`, { op: name });
}

function* allNodes(nodes: readonly Node[]): Iterable<Node> {
  for (const node of nodes) {
    yield node;
    for (const graph of subgraphs(node)) yield* allNodes(graph.nodes);
  }
}
