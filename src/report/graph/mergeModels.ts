import { subgraphs } from "#model/attributes";
import { reachableNodes } from "#model/functions";
import type { Attribute, FunctionDef, Graph, Model, Node } from "#model/model";
import { irVersionFor, raiseOpset } from "#model/opset";
import { inferShapes } from "#model/shapes";
import { definedNames } from "#model/topology";
import { renameValues } from "#report/graph/renameValues";

export interface Merged {
  readonly model: Model;
  /** What a value of the second model is called now. */
  readonly renamed: (name: string) => string;
}

/**
 * Two models as one that computes both from the same inputs: the first keeps its names, those of the second get a prefix. The older
 * operator set is raised to the newer, at least 13. A string says why they cannot be one model. Throws `model/opset` where an
 * operator cannot be raised.
 */
export async function mergeModels(first: Model, second: Model): Promise<Merged | string> {
  const inputs = new Map(first.graph.inputs.map((info) => [info.name, info.type]));
  for (const { name, type } of second.graph.inputs) {
    const twin = inputs.get(name);
    if (twin === undefined) return `only one of them has an input ${name}`;
    if (type?.kind === "tensor" && twin.kind === "tensor" && type.element !== twin.element)
      return `input ${name} is ${twin.element} in one and ${type.element} in the other`;
  }
  if (first.graph.sparse !== undefined || second.graph.sparse !== undefined) return "one of them has sparse weights";
  const opset = Math.max(13, ...[first, second].map(({ opsets }) => opsets.get("") ?? 0));
  const [a, b] = [await raised(first, opset), await raised(second, opset)];
  const opsets = unitedOpsets(a, b);
  if (typeof opsets === "string") return opsets;
  const prefix = unusedPrefix(a.graph);
  const renamed = (name: string): string => (inputs.has(name) ? name : prefix + name);
  const other = separateFunctions(b, prefix);
  const graph = renameValues(other.graph, renamed);
  const nodes = graph.nodes.map((node) => ({ ...node, name: node.name === "" ? "" : prefix + node.name }));
  const model: Model = {
    ...a,
    // from 4 on an initializer need not be an input
    irVersion: Math.max(4, a.irVersion, b.irVersion, irVersionFor(opset)),
    opsets,
    functions: [...a.functions, ...other.functions],
    graph: {
      ...withoutOverrides(a.graph),
      nodes: [...a.graph.nodes, ...nodes],
      initializers: new Map([...a.graph.initializers, ...graph.initializers]),
      outputs: [...a.graph.outputs, ...graph.outputs],
      values: new Map(),
    },
  };
  return { model, renamed };
}

async function raised(model: Model, opset: number): Promise<Model> {
  return (model.opsets.get("") ?? 0) >= opset ? model : raiseOpset(model, opset, await inferShapes(model));
}

function withoutOverrides(graph: Graph): Graph {
  const plain = { ...graph };
  delete plain.overridable;
  return plain;
}

function unitedOpsets(a: Model, b: Model): Map<string, number> | string {
  const opsets = new Map([...b.opsets, ...a.opsets]);
  const used = (model: Model): Set<string> => new Set(reachableNodes(model).map(({ domain }) => domain));
  const [inA, inB] = [used(a), used(b)];
  for (const [domain, version] of b.opsets) {
    const other = a.opsets.get(domain);
    if (other === undefined || other === version) continue;
    if (inA.has(domain) && inB.has(domain))
      return `they use versions ${other} and ${version} of ${domain || "ai.onnx"}`;
    if (inB.has(domain)) opsets.set(domain, version);
  }
  return opsets;
}

/** A prefix that no value of the graph starts with. */
function unusedPrefix(graph: Graph): string {
  let prefix = "quantized/";
  const names = [...definedNames(graph)];
  while (names.some((name) => name.startsWith(prefix))) prefix = `quantized_${prefix}`;
  return prefix;
}

/** The model with its functions under names of their own: both models may have one of the same name. */
function separateFunctions(model: Model, prefix: string): Model {
  if (model.functions.length === 0) return model;
  const own = new Set(model.functions.map(keyOf));
  const inNode = (node: Node): Node => {
    const op = own.has(`${node.domain}:${node.op}:${node.overload}`) ? prefix + node.op : node.op;
    if (subgraphs(node).length === 0) return { ...node, op };
    const attributes = [...node.attributes].map(([name, value]): [string, Attribute] => [name, inAttribute(value)]);
    return { ...node, op, attributes: new Map(attributes) };
  };
  const inGraph = (graph: Graph): Graph => ({ ...graph, nodes: graph.nodes.map(inNode) });
  const inAttribute = (attribute: Attribute): Attribute => {
    if (attribute.kind === "graph") return { ...attribute, value: inGraph(attribute.value) };
    return attribute.kind === "graphs" ? { ...attribute, value: attribute.value.map(inGraph) } : attribute;
  };
  return {
    ...model,
    graph: inGraph(model.graph),
    functions: model.functions.map((fn) => ({ ...fn, name: prefix + fn.name, nodes: fn.nodes.map(inNode) })),
  };
}

function keyOf({ domain, name, overload }: FunctionDef): string {
  return `${domain}:${name}:${overload}`;
}
