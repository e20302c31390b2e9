/** Reading attributes of a node: by name, with the default the operator's specification states, or a typed error. */
import { LowbitError } from "#base/errors";
import type { Attribute, Graph, Node, TensorRef } from "#model/model";

type Kind = Attribute["kind"];

function find<K extends Kind>(node: Node, name: string, kind: K): Extract<Attribute, { kind: K }> | undefined {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return undefined;
  if (attribute.kind === kind) return attribute as Extract<Attribute, { kind: K }>;
  throw new LowbitError(
    "model/attribute",
    `attribute ${name} of ${node.op} is of kind ${attribute.kind}, expected ${kind}`,
    { at: { node: node.name || node.outputs[0], op: node.op } },
  );
}

/** int64 attributes beyond 2⁵³ (only used as "to the end") become the nearest double. */
export function intAttribute(node: Node, name: string, fallback: number): number {
  const found = find(node, name, "int");
  return found === undefined ? fallback : Number(found.value);
}

export function intsAttribute(node: Node, name: string): number[] | undefined {
  return find(node, name, "ints")?.value.map(Number);
}

export function floatAttribute(node: Node, name: string, fallback: number): number {
  return find(node, name, "float")?.value ?? fallback;
}

export function floatsAttribute(node: Node, name: string): readonly number[] | undefined {
  return find(node, name, "floats")?.value;
}

export function stringAttribute(node: Node, name: string, fallback: string): string {
  const value = find(node, name, "string")?.value;
  return value === undefined ? fallback : typeof value === "string" ? value : new TextDecoder().decode(value);
}

export function stringsAttribute(node: Node, name: string): string[] | undefined {
  return find(node, name, "strings")?.value.map((value) =>
    typeof value === "string" ? value : new TextDecoder().decode(value),
  );
}

export function tensorAttribute(node: Node, name: string): TensorRef | undefined {
  return find(node, name, "tensor")?.value;
}

export function graphAttribute(node: Node, name: string): Graph | undefined {
  return find(node, name, "graph")?.value;
}

/** Graphs that a node carries: If's branches, a Loop's body. */
export function subgraphs(node: Node): Graph[] {
  const found: Graph[] = [];
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === "graph") found.push(attribute.value);
    else if (attribute.kind === "graphs") found.push(...attribute.value);
  }
  return found;
}

const none: ReadonlyMap<string, string> = new Map();

/** Plain values → attributes: integers for integer numbers, floats for { float }, and so on. Used where graphs are written. */
export type AttributeInit =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { float: number }
  | { floats: readonly number[] }
  | { tensor: TensorRef }
  | { graph: Graph };

export function attribute(init: AttributeInit): Attribute {
  if (typeof init === "number") return { kind: "int", value: init };
  if (typeof init === "string") return { kind: "string", value: init };
  if (Array.isArray(init)) {
    return init.length > 0 && typeof init[0] === "string"
      ? { kind: "strings", value: init as string[] }
      : { kind: "ints", value: init as number[] };
  }
  if ("float" in init) return { kind: "float", value: init.float };
  if ("floats" in init) return { kind: "floats", value: init.floats };
  if ("tensor" in init) return { kind: "tensor", value: init.tensor };
  if ("graph" in init) return { kind: "graph", value: init.graph };
  throw new LowbitError("model/attribute", "not an attribute");
}

/** A new node. `name` defaults to the first output. */
export function createNode(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeInit>> = {},
  more: { readonly domain?: string; readonly name?: string } = {},
): Node {
  return {
    name: more.name ?? outputs[0] ?? "",
    op,
    domain: more.domain ?? "",
    overload: "",
    inputs,
    outputs,
    attributes: new Map(Object.entries(attributes).map(([name, init]) => [name, attribute(init)])),
    doc: "",
    metadata: none,
  };
}
