/** Model-local functions: operators that a model defines itself, as a graph of other operators. */
import { LowbitError } from "#base/errors";
import type { Attribute, FunctionDef, Graph, Model, Node, ValueInfo } from "#model/model";
import { subgraphs } from "#model/attributes";

/** The function that a node calls, if it calls one: a function shadows an operator of the same domain and name. */
export function functionOf(model: Pick<Model, "functions">, node: Node): FunctionDef | undefined {
  return model.functions.find(
    (fn) => fn.domain === node.domain && fn.name === node.op && fn.overload === node.overload,
  );
}

/**
 * The body of a function as the graph that one call runs: attribute references take the call's values or the defaults,
 * and inputs that the call omits are omitted inside.
 */
export function functionBody(fn: FunctionDef, call: Node): Graph {
  const given = (name: string): Attribute | undefined => call.attributes.get(name) ?? fn.defaults.get(name);
  const omitted = new Set(fn.inputs.filter((_, index) => (call.inputs[index] ?? "") === ""));
  const value = (name: string): ValueInfo => fn.values.get(name) ?? { name, type: undefined, doc: "", metadata: none };
  return {
    name: fn.name,
    nodes: fn.nodes.map((node) => bind(node, given, omitted)),
    inputs: fn.inputs.filter((name) => !omitted.has(name)).map(value),
    outputs: fn.outputs.map(value),
    initializers: new Map(),
    values: fn.values,
    doc: fn.doc,
    metadata: fn.metadata,
  };
}

const none: ReadonlyMap<string, string> = new Map();

function bind(node: Node, given: (name: string) => Attribute | undefined, omitted: ReadonlySet<string>): Node {
  const attributes = new Map<string, Attribute>();
  const inGraph = (graph: Graph): Graph => ({
    ...graph,
    nodes: graph.nodes.map((inner) => bind(inner, given, omitted)),
  });
  for (const [name, attribute] of node.attributes) {
    // a reference to an attribute that is neither given nor has a default leaves the attribute away
    const bound = attribute.kind === "reference" ? given(attribute.value) : attribute;
    if (bound === undefined) continue;
    if (attribute.kind === "graph") attributes.set(name, { ...attribute, value: inGraph(attribute.value) });
    else if (attribute.kind === "graphs") attributes.set(name, { ...attribute, value: attribute.value.map(inGraph) });
    else attributes.set(name, bound);
  }
  return { ...node, inputs: node.inputs.map((name) => (omitted.has(name) ? "" : name)), attributes };
}

/** Every node that running a graph may run: those of subgraphs and of the functions they call, each function once. */
export function reachableNodes(model: Model, nodes: readonly Node[] = model.graph.nodes): Node[] {
  const called = new Set<FunctionDef>();
  const found: Node[] = [];
  const open = [...nodes];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const fn = functionOf(model, node);
    if (fn === undefined) found.push(node);
    else if (!called.has(fn)) {
      called.add(fn);
      open.push(...fn.nodes);
    }
    for (const graph of subgraphs(node)) open.push(...graph.nodes);
  }
  return found;
}

/** Throws model/cycle where a function calls itself, directly or through others. */
export function refuseRecursion(calls: readonly FunctionDef[], next: FunctionDef): void {
  if (!calls.includes(next)) return;
  const path = [...calls.slice(calls.indexOf(next)), next].map(({ name }) => name).join(" → ");
  throw new LowbitError("model/cycle", `function ${next.name} calls itself: ${path}`);
}
