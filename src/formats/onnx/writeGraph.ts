/** Graph → GraphProto, with its nodes and their attributes, which may hold graphs again. */
import { attributeKinds } from "#formats/onnx/attributeKinds";
import { optional, toEntries } from "#formats/onnx/context";
import type { ExternalPlace } from "#formats/onnx/externalData";
import type { Message } from "#formats/onnx/schema";
import { writeTensor } from "#formats/onnx/tensor";
import { writeValueInfo } from "#formats/onnx/valueInfo";
import { writeType } from "#formats/onnx/valueType";
import type { Attribute, Graph, Node, TensorRef, ValueInfo } from "#model/model";

export interface WriteContext {
  readonly irVersion: number;
  /** Where the content of an initializer goes; undefined: into the protobuf. */
  readonly place: (ref: TensorRef) => ExternalPlace | undefined;
}

export function writeGraph(graph: Graph, context: WriteContext): Message<"Graph"> {
  // the key is the name: an edit may have put one weight in two places
  const initializers = Array.from(graph.initializers, ([name, ref]) => (ref.name === name ? ref : { ...ref, name }));
  return {
    node: graph.nodes.map((node) => writeNode(node, context)),
    name: optional(graph.name),
    initializer: initializers.map((ref) => writeTensor(ref, context.place(ref))),
    docString: optional(graph.doc),
    input: [...graph.inputs, ...defaults(graph, initializers, context.irVersion)].map(writeValueInfo),
    output: graph.outputs.map(writeValueInfo),
    valueInfo: Array.from(graph.values.values(), writeValueInfo),
    sparseInitializer: graph.sparse === undefined ? undefined : [...graph.sparse.values()],
    metadataProps: toEntries(graph.metadata),
    unknown: graph.unknown,
  };
}

/** Initializers to list among the inputs: those the file says may be overridden; all of them before IR version 4. */
function defaults(graph: Graph, initializers: readonly TensorRef[], irVersion: number): ValueInfo[] {
  const listed = new Set(graph.inputs.map(({ name }) => name));
  const found: ValueInfo[] = [];
  for (const ref of initializers) {
    const declared = graph.overridable?.get(ref.name);
    if (listed.has(ref.name) || (declared === undefined && irVersion >= 4)) continue;
    found.push(declared !== undefined && describes(declared, ref) ? declared : described(ref));
  }
  return found;
}

/** Whether a declaration still fits an initializer, which an edit may have replaced. */
function describes({ type }: ValueInfo, ref: TensorRef): boolean {
  if (type?.kind !== "tensor" || type.element !== ref.element) return false;
  const { shape } = type;
  if (shape === undefined) return true;
  return shape.length === ref.dims.length && shape.every((dim, i) => typeof dim !== "number" || dim === ref.dims[i]);
}

function described(ref: TensorRef): ValueInfo {
  const type = { kind: "tensor", element: ref.element, shape: ref.dims } as const;
  return { name: ref.name, type, doc: "", metadata: new Map() };
}

export function writeNode(node: Node, context: WriteContext): Message<"Node"> {
  return {
    input: [...node.inputs],
    output: [...node.outputs],
    name: optional(node.name),
    opType: node.op,
    attribute: Array.from(node.attributes, ([name, attribute]) => writeAttribute(name, attribute, context)),
    docString: optional(node.doc),
    domain: optional(node.domain),
    overload: optional(node.overload),
    metadataProps: toEntries(node.metadata),
    unknown: node.unknown,
  };
}

export function writeAttribute(name: string, attribute: Attribute, context: WriteContext): Message<"Attribute"> {
  const proto: Message<"Attribute"> = {
    name,
    docString: attribute.doc,
    type: attributeKinds.find(({ kind }) => kind === attribute.kind)?.type,
    unknown: attribute.unknown,
  };
  switch (attribute.kind) {
    case "float":
      return { ...proto, f: attribute.value };
    case "int":
      return { ...proto, i: attribute.value };
    case "string":
      return { ...proto, s: textBytes(attribute.value) };
    case "tensor":
      return { ...proto, t: writeTensor(attribute.value) };
    case "graph":
      return { ...proto, g: writeGraph(attribute.value, context) };
    case "type":
      return { ...proto, tp: writeType(attribute.value) };
    case "floats":
      return { ...proto, floats: [...attribute.value] };
    case "ints":
      return { ...proto, ints: [...attribute.value] };
    case "strings":
      return { ...proto, strings: attribute.value.map(textBytes) };
    case "tensors":
      return { ...proto, tensors: attribute.value.map((tensor) => writeTensor(tensor)) };
    case "graphs":
      return { ...proto, graphs: attribute.value.map((graph) => writeGraph(graph, context)) };
    case "types":
      return { ...proto, typeProtos: attribute.value.map(writeType) };
    case "reference":
      return { ...proto, type: attribute.type, refAttrName: attribute.value };
    case "opaque":
      return { ...proto, type: attribute.type, unknown: attribute.value };
  }
}

function textBytes(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? new TextEncoder().encode(value) : value;
}
