/** Small models for tests, as data. */
import type { Dim, FunctionDef, Graph, Model, Node, ValueInfo } from "#model/model";
import type { ElementType, Tensor } from "#model/tensor";
import { weight } from "#model/weights";

export interface GraphInit {
  /** Names, or types and shapes by name. */
  readonly inputs?: readonly string[] | Readonly<Record<string, readonly [ElementType, (readonly Dim[])?]>>;
  readonly outputs: readonly string[];
  readonly nodes: readonly Node[];
  readonly weights?: Readonly<Record<string, Tensor>>;
  /** What the file says of intermediate values. */
  readonly values?: Readonly<Record<string, readonly [ElementType, readonly Dim[]]>>;
}

export interface ModelInit extends GraphInit {
  readonly opset?: number;
  readonly functions?: readonly FunctionDef[];
}

const none: ReadonlyMap<string, string> = new Map();

function info(name: string, type?: readonly [ElementType, (readonly Dim[])?]): ValueInfo {
  const declared = type && ({ kind: "tensor", element: type[0], shape: type[1] } as const);
  return { name, type: declared, doc: "", metadata: none };
}

export function graphOf({ inputs = [], outputs, nodes, weights = {}, values = {} }: GraphInit): Graph {
  const named = Array.isArray(inputs) ? inputs.map((name: string) => info(name)) : typed(inputs as Typed);
  return {
    name: "graph",
    nodes,
    inputs: named,
    outputs: outputs.map((name) => info(name)),
    initializers: new Map(Object.entries(weights).map(([name, value]) => [name, weight(name, value)])),
    values: new Map(typed(values).map((each) => [each.name, each])),
    doc: "",
    metadata: none,
  };
}

type Typed = Readonly<Record<string, readonly [ElementType, (readonly Dim[])?]>>;
const typed = (types: Typed): ValueInfo[] => Object.entries(types).map(([name, type]) => info(name, type));

export function modelOf({ opset = 21, functions = [], ...graph }: ModelInit): Model {
  const domains = functions.map(({ domain }): [string, number] => [domain, 1]);
  return {
    irVersion: 10,
    opsets: new Map([["", opset], ...domains]),
    graph: graphOf(graph),
    functions,
    producer: { name: "", version: "" },
    domain: "",
    modelVersion: 0,
    doc: "",
    metadata: none,
  };
}

export function functionOf(
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  nodes: readonly Node[],
  more: Partial<FunctionDef> = {},
): FunctionDef {
  return {
    name,
    domain: "local",
    overload: "",
    inputs,
    outputs,
    attributes: [],
    defaults: new Map(),
    nodes,
    opsets: new Map([
      ["", 21],
      ["local", 1],
    ]),
    values: new Map(),
    doc: "",
    metadata: none,
    ...more,
  };
}
