/** GraphProto → Graph, with its nodes and their attributes, which may hold graphs again. */
import { attributeKinds, type ValueKind } from "#formats/onnx/attributeKinds";
import { type Context, domainOf, entries, keepUnknown, refuse } from "#formats/onnx/context";
import { decodeBytes } from "#formats/onnx/decodeMessage";
import type { Message } from "#formats/onnx/schema";
import { readTensor } from "#formats/onnx/tensor";
import { readValueInfo } from "#formats/onnx/valueInfo";
import { readType } from "#formats/onnx/valueType";
import type { Attribute, Graph, Node, TensorRef, ValueInfo } from "#model/model";

export function readGraph(proto: Message<"Graph">, context: Context): Graph {
  const initializers = new Map<string, TensorRef>();
  for (const tensor of proto.initializer ?? []) {
    const ref = readTensor(tensor, context);
    const at = { tensor: ref.name };
    if (ref.name === "") throw refuse(context, tensor, "onnx/invalid", "an initializer has no name");
    if (initializers.has(ref.name))
      throw refuse(context, tensor, "model/duplicate", `two initializers are called ${ref.name}`, { at });
    initializers.set(ref.name, ref);
  }
  const inputs: ValueInfo[] = [];
  const overridable = new Map<string, ValueInfo>();
  for (const input of proto.input ?? []) {
    const value = readValueInfo(input, context);
    if (!initializers.has(value.name)) inputs.push(value);
    // before IR version 4 every initializer had to be listed: that says nothing
    else if (context.irVersion >= 4) overridable.set(value.name, value);
  }
  const sparse = (proto.sparseInitializer ?? []).map((bytes) => [sparseName(bytes, proto, context), bytes] as const);
  return {
    name: proto.name ?? "",
    nodes: (proto.node ?? []).map((node) => readNode(node, context)),
    inputs,
    outputs: (proto.output ?? []).map((output) => readValueInfo(output, context)),
    initializers,
    ...(overridable.size === 0 ? {} : { overridable }),
    ...(sparse.length === 0 ? {} : { sparse: new Map(sparse) }),
    values: readValues(proto.valueInfo, context),
    doc: proto.docString ?? "",
    metadata: entries(proto.metadataProps),
    ...keepUnknown(proto),
  };
}

/** Of two descriptions of one value the last counts. */
export function readValues(
  protos: readonly Message<"ValueInfo">[] | undefined,
  context: Context,
): ReadonlyMap<string, ValueInfo> {
  const values = (protos ?? []).map((proto) => readValueInfo(proto, context));
  return new Map(values.map((value) => [value.name, value]));
}

/** A sparse initializer is named by its `values`. */
function sparseName(bytes: Uint8Array, proto: Message<"Graph">, context: Context): string {
  const name = decodeBytes("SparseTensor", bytes, context.file).values?.name;
  if (name === undefined) throw refuse(context, proto, "onnx/invalid", "a sparse initializer has no name");
  return name;
}

export function readNode(proto: Message<"Node">, context: Context): Node {
  const { name = "", opType = "", input = [], output = [] } = proto;
  const at = { node: name || (output[0] ?? ""), op: opType };
  if (opType === "") throw refuse(context, proto, "onnx/invalid", `node ${at.node} has no operator`, { at });
  if (input.length === 0 && output.length === 0)
    throw refuse(context, proto, "onnx/invalid", `node ${at.node} (${opType}) has neither inputs nor outputs`, { at });
  return {
    name,
    op: opType,
    domain: domainOf(proto.domain),
    overload: proto.overload ?? "",
    inputs: input,
    outputs: output,
    attributes: readAttributes(proto.attribute, `node ${at.node} (${opType})`, context),
    doc: proto.docString ?? "",
    metadata: entries(proto.metadataProps),
    ...keepUnknown(proto),
  };
}

/** Shared by every node without attributes. */
const noAttributes: ReadonlyMap<string, Attribute> = new Map();

export function readAttributes(
  protos: readonly Message<"Attribute">[] | undefined,
  owner: string,
  context: Context,
): ReadonlyMap<string, Attribute> {
  if (protos === undefined) return noAttributes;
  const attributes = new Map<string, Attribute>();
  for (const proto of protos) {
    const { name = "" } = proto;
    if (name === "") throw refuse(context, proto, "onnx/invalid", `${owner} has an attribute without a name`);
    if (attributes.has(name)) throw refuse(context, proto, "model/duplicate", `${owner} has attribute ${name} twice`);
    attributes.set(name, readAttribute(proto, context));
  }
  return attributes;
}

function readAttribute(proto: Message<"Attribute">, context: Context): Attribute {
  const fail = (what: string) => refuse(context, proto, "onnx/invalid", `attribute ${proto.name} ${what}`);
  const doc = proto.docString === undefined ? {} : { doc: proto.docString };
  const set = attributeKinds.filter(({ field }) => proto[field] !== undefined);
  if (set.length > 1) throw fail(`has two values: ${set.map(({ field }) => field).join(" and ")}`);
  if (proto.refAttrName !== undefined && proto.refAttrName !== "") {
    if (set.length > 0) throw fail(`refers to ${proto.refAttrName} and has a value`);
    return { kind: "reference", value: proto.refAttrName, type: proto.type ?? 0, ...doc, ...keepUnknown(proto) };
  }
  // before IR version 2 the type was not written: the field that is set tells
  const row = (proto.type ?? 0) === 0 ? set[0] : attributeKinds.find(({ type }) => type === proto.type);
  if (row === undefined) {
    if (set.length > 0) throw fail(`is of type ${proto.type} but has ${set[0].field}`);
    if (proto.unknown === undefined) throw fail("has no value");
    return { kind: "opaque", value: proto.unknown, type: proto.type ?? 0, ...doc };
  }
  if (set.length === 1 && set[0] !== row) throw fail(`is of type ${row.kind} but has ${set[0].field}`);
  return { ...readValue(row.kind, proto, context, fail), ...doc, ...keepUnknown(proto) };
}

/** Writers of proto3 leave out 0, "" and []. */
function readValue(
  kind: ValueKind,
  proto: Message<"Attribute">,
  context: Context,
  fail: (what: string) => unknown,
): Attribute {
  switch (kind) {
    case "float":
      return { kind, value: proto.f ?? 0 };
    case "int":
      return { kind, value: proto.i ?? 0 };
    case "string":
      return { kind, value: proto.s === undefined ? "" : text(proto.s) };
    case "tensor":
      if (proto.t === undefined) throw fail("has no tensor");
      return { kind, value: readTensor(proto.t, context) };
    case "graph":
      if (proto.g === undefined) throw fail("has no graph");
      return { kind, value: readGraph(proto.g, context) };
    case "type":
      if (proto.tp === undefined) throw fail("has no type");
      return { kind, value: readType(proto.tp, context) };
    case "floats":
      return { kind, value: proto.floats ?? [] };
    case "ints":
      return { kind, value: proto.ints ?? [] };
    case "strings":
      return { kind, value: (proto.strings ?? []).map(text) };
    case "tensors":
      return { kind, value: (proto.tensors ?? []).map((tensor) => readTensor(tensor, context)) };
    case "graphs":
      return { kind, value: (proto.graphs ?? []).map((graph) => readGraph(graph, context)) };
    case "types":
      return { kind, value: (proto.typeProtos ?? []).map((type) => readType(type, context)) };
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** ONNX's string attributes are bytes; nearly all are text. */
function text(bytes: Uint8Array): string | Uint8Array {
  try {
    return utf8.decode(bytes);
  } catch {
    return bytes;
  }
}
