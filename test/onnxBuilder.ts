/**
 * Writes small ONNX files for tests: a second, independent writer, so that what is tested is never tested with itself.
 * Field numbers are onnx.proto's. No checks: a hostile model is as easy to write as a good one.
 */
import { type ElementType, elementTypes, packTensor, type Tensor } from "#model/tensor";

/** An element type and, when known, a shape of sizes and symbols. */
export type ValueSpec = readonly [type: ElementType, dims?: readonly (number | string)[]];

export type AttributeSpec =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Tensor }
  | { readonly graph: GraphSpec };

export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
  readonly domain?: string;
  readonly name?: string;
}

export interface GraphSpec {
  readonly inputs?: Readonly<Record<string, ValueSpec>>;
  /** `undefined` writes only the name, which runtimes accept. */
  readonly outputs: Readonly<Record<string, ValueSpec | undefined>>;
  readonly nodes: readonly NodeSpec[];
  readonly initializers?: Readonly<Record<string, Tensor>>;
}

export interface FileSpec {
  /** Default 21. */
  readonly opset?: number;
  /** Default 10. */
  readonly irVersion?: number;
  /** Operator set versions of further domains. */
  readonly domains?: Readonly<Record<string, number>>;
}

/** A node, written shorter: `node("Add", ["a", "b"], ["c"])`. */
export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeSpec>> = {},
  domain = "",
): NodeSpec {
  return { op, inputs, outputs, attributes, domain };
}

/** The bytes of an ONNX file that holds this graph. */
export function onnxFile(graph: GraphSpec, file: FileSpec = {}): Uint8Array {
  const domains = Object.entries({ "": file.opset ?? 21, ...file.domains });
  return message(
    varint(1, file.irVersion ?? 10),
    delimited(7, graphProto(graph)),
    ...domains.map(([domain, version]) => delimited(8, message(text(1, domain), varint(2, version)))),
  );
}

function graphProto(graph: GraphSpec): Uint8Array {
  return message(
    ...graph.nodes.map((spec) => delimited(1, nodeProto(spec))),
    text(2, "graph"),
    ...Object.entries(graph.initializers ?? {}).map(([name, value]) => delimited(5, tensorProto(name, value))),
    ...Object.entries(graph.inputs ?? {}).map(([name, spec]) => delimited(11, valueProto(name, spec))),
    ...Object.entries(graph.outputs).map(([name, spec]) => delimited(12, valueProto(name, spec))),
  );
}

function nodeProto(spec: NodeSpec): Uint8Array {
  return message(
    ...spec.inputs.map((name) => text(1, name)),
    ...spec.outputs.map((name) => text(2, name)),
    ...(spec.name === undefined ? [] : [text(3, spec.name)]),
    text(4, spec.op),
    ...Object.entries(spec.attributes ?? {}).map(([name, value]) => delimited(5, attributeProto(name, value))),
    ...(spec.domain ? [text(7, spec.domain)] : []),
  );
}

function attributeProto(name: string, value: AttributeSpec): Uint8Array {
  const typed = (type: number, ...fields: Uint8Array[]) => message(text(1, name), ...fields, varint(20, type));
  if (typeof value === "number") return typed(2, varint(3, value));
  if (typeof value === "string") return typed(3, text(4, value));
  if ("float" in value) return typed(1, fixed32(2, value.float));
  if ("floats" in value) return typed(6, ...value.floats.map((number) => fixed32(7, number)));
  if ("strings" in value) return typed(8, ...value.strings.map((string) => text(9, string)));
  if ("tensor" in value) return typed(4, delimited(5, tensorProto("", value.tensor)));
  if ("graph" in value) return typed(5, delimited(6, graphProto(value.graph)));
  return typed(7, ...value.map((number) => varint(8, number)));
}

function tensorProto(name: string, value: Tensor): Uint8Array {
  const data =
    value.type === "string"
      ? (value.data as readonly string[]).map((string) => text(6, string))
      : [delimited(9, packTensor(value))];
  const type = varint(2, elementTypes[value.type].code);
  return message(...value.dims.map((dim) => varint(1, dim)), type, text(8, name), ...data);
}

function valueProto(name: string, spec: ValueSpec | undefined): Uint8Array {
  if (spec === undefined) return text(1, name);
  const [type, dims] = spec;
  const dimProto = (dim: number | string) => message(typeof dim === "number" ? varint(1, dim) : text(2, dim));
  const shape = dims === undefined ? [] : [delimited(2, message(...dims.map((dim) => delimited(1, dimProto(dim)))))];
  const tensorType = message(varint(1, elementTypes[type].code), ...shape);
  return message(text(1, name), delimited(2, message(delimited(1, tensorType))));
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(fields.reduce((sum, field) => sum + field.byteLength, 0));
  let at = 0;
  for (const field of fields) {
    out.set(field, at);
    at += field.byteLength;
  }
  return out;
}

/** Wire type 2: length and bytes. */
function delimited(field: number, bytes: Uint8Array): Uint8Array {
  const head = [...bits7(BigInt(field * 8 + 2)), ...bits7(BigInt(bytes.byteLength))];
  const out = new Uint8Array(head.length + bytes.byteLength);
  out.set(head);
  out.set(bytes, head.length);
  return out;
}

function text(field: number, value: string): Uint8Array {
  return delimited(field, new TextEncoder().encode(value));
}

/** Wire type 0. Negative numbers are two's complement of 64 bits, as int64 fields want them. */
function varint(field: number, value: number | bigint): Uint8Array {
  return Uint8Array.from([...bits7(BigInt(field * 8)), ...bits7(BigInt.asUintN(64, BigInt(value)))]);
}

/** Wire type 5. */
function fixed32(field: number, value: number): Uint8Array {
  const out = new Uint8Array(5);
  out[0] = field * 8 + 5;
  new DataView(out.buffer).setFloat32(1, value, true);
  return out;
}

function bits7(value: bigint): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return [...out, Number(rest)];
    out.push(Number(rest & 127n) | 128);
  }
}
