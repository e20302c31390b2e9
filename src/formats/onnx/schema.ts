/**
 * The part of onnx.proto that the graph IR has a place for, as one table: the scanner, the decoder and the encoder all read it.
 * A row is [field number, kind, shape]; a field that is not here is kept as unknown bytes and written back untouched.
 *
 * Source: onnx/onnx.proto, IR version 13 (proto2). Names are its names in camel case without "Proto".
 */
import type { Payload } from "#formats/onnx/payload";

export const schema = {
  Model: {
    irVersion: [1, "int64"],
    producerName: [2, "string"],
    producerVersion: [3, "string"],
    domain: [4, "string"],
    modelVersion: [5, "int64"],
    docString: [6, "string"],
    graph: [7, "Graph"],
    opsetImport: [8, "OperatorSetId", "repeated"],
    metadataProps: [14, "StringStringEntry", "repeated"],
    functions: [25, "Function", "repeated"],
  },
  OperatorSetId: { domain: [1, "string"], version: [2, "int64"] },
  StringStringEntry: { key: [1, "string"], value: [2, "string"] },
  Graph: {
    node: [1, "Node", "repeated"],
    name: [2, "string"],
    initializer: [5, "Tensor", "repeated"],
    docString: [10, "string"],
    input: [11, "ValueInfo", "repeated"],
    output: [12, "ValueInfo", "repeated"],
    valueInfo: [13, "ValueInfo", "repeated"],
    sparseInitializer: [15, "bytes", "repeated"],
    metadataProps: [16, "StringStringEntry", "repeated"],
  },
  Function: {
    name: [1, "string"],
    input: [4, "string", "repeated"],
    output: [5, "string", "repeated"],
    attribute: [6, "string", "repeated"],
    node: [7, "Node", "repeated"],
    docString: [8, "string"],
    opsetImport: [9, "OperatorSetId", "repeated"],
    domain: [10, "string"],
    attributeProto: [11, "Attribute", "repeated"],
    valueInfo: [12, "ValueInfo", "repeated"],
    overload: [13, "string"],
    metadataProps: [14, "StringStringEntry", "repeated"],
  },
  Node: {
    input: [1, "string", "repeated"],
    output: [2, "string", "repeated"],
    name: [3, "string"],
    opType: [4, "string"],
    attribute: [5, "Attribute", "repeated"],
    docString: [6, "string"],
    domain: [7, "string"],
    overload: [8, "string"],
    metadataProps: [9, "StringStringEntry", "repeated"],
  },
  Attribute: {
    name: [1, "string"],
    f: [2, "float"],
    i: [3, "int64"],
    s: [4, "bytes"],
    t: [5, "Tensor"],
    g: [6, "Graph"],
    floats: [7, "float", "repeated"],
    ints: [8, "int64", "repeated"],
    strings: [9, "bytes", "repeated"],
    tensors: [10, "Tensor", "repeated"],
    graphs: [11, "Graph", "repeated"],
    docString: [13, "string"],
    tp: [14, "Type"],
    typeProtos: [15, "Type", "repeated"],
    type: [20, "int32"],
    refAttrName: [21, "string"],
  },
  Tensor: {
    dims: [1, "int64", "repeated"],
    dataType: [2, "int32"],
    segment: [3, "bytes"],
    floatData: [4, "float", "data"],
    int32Data: [5, "int32", "data"],
    stringData: [6, "bytes", "repeated"],
    int64Data: [7, "int64", "data"],
    name: [8, "string"],
    rawData: [9, "bytes", "data"],
    doubleData: [10, "double", "data"],
    uint64Data: [11, "int64", "data"],
    docString: [12, "string"],
    externalData: [13, "StringStringEntry", "repeated"],
    dataLocation: [14, "int32"],
    metadataProps: [16, "StringStringEntry", "repeated"],
  },
  SparseTensor: { values: [1, "Tensor"] },
  ValueInfo: {
    name: [1, "string"],
    type: [2, "Type"],
    docString: [3, "string"],
    metadataProps: [4, "StringStringEntry", "repeated"],
  },
  Type: {
    tensorType: [1, "TensorType"],
    sequenceType: [4, "SequenceType"],
    mapType: [5, "MapType"],
    denotation: [6, "string"],
    optionalType: [9, "OptionalType"],
  },
  TensorType: { elemType: [1, "int32"], shape: [2, "TensorShape"] },
  SequenceType: { elemType: [1, "Type"] },
  MapType: { keyType: [1, "int32"], valueType: [2, "Type"] },
  OptionalType: { elemType: [1, "Type"] },
  TensorShape: { dim: [1, "Dimension", "repeated"] },
  Dimension: { dimValue: [1, "int64"], dimParam: [2, "string"], denotation: [3, "string"] },
} as const;

/** Fields of which at most one is set: the last one in the file. */
export const oneofs: Partial<Record<MessageName, readonly string[]>> = {
  Type: ["tensorType", "sequenceType", "mapType", "optionalType"],
  Dimension: ["dimValue", "dimParam"],
};

/**
 * Messages whose place in the IR carries unknown fields. Any other message (an entry, a dim) that has one is kept whole, as an
 * unknown field of its parent.
 */
export const keepsUnknown: ReadonlySet<MessageName> = new Set<MessageName>([
  "Model",
  "Graph",
  "Function",
  "Node",
  "Attribute",
  "Tensor",
  "ValueInfo",
  "Type",
]);

type Schema = typeof schema;
export type MessageName = keyof Schema;

interface Scalars {
  /** Truncated to 32 bits, as protobuf does. */
  int32: number;
  /** A number where it is exact. Unsigned 64-bit integers are seen as signed: only tensor data has them. */
  int64: number | bigint;
  float: number;
  double: number;
  string: string;
  bytes: Uint8Array;
}

export type ScalarKind = keyof Scalars;

type Value<K> = K extends ScalarKind ? Scalars[K] : K extends MessageName ? Message<K> : never;
type FieldValue<Row> = Row extends readonly [number, infer K, infer Shape]
  ? Shape extends "data"
    ? Payload
    : Value<K>[]
  : Row extends readonly [number, infer K]
    ? Value<K>
    : never;

/** A decoded message: absent fields are undefined. */
export type Message<N extends MessageName> = {
  -readonly [F in keyof Schema[N]]?: FieldValue<Schema[N][F]>;
} & {
  /** Fields outside the table, tags included. */
  unknown?: Uint8Array | undefined;
  /** Offset in the file of what was read; not written. */
  at?: number;
};

/** One row of the table, as the generic code sees it. "data" is tensor content: large ones stay in the file. */
export interface Field {
  readonly name: string;
  readonly number: number;
  readonly kind: ScalarKind | MessageName;
  readonly shape: "single" | "repeated" | "data";
  /** Set for a submessage. */
  readonly message: MessageName | undefined;
}

type Row = readonly [number, ScalarKind | MessageName, ("repeated" | "data")?];

const fieldLists = new Map<MessageName, readonly Field[]>();
const fieldsByNumber = new Map<MessageName, readonly (Field | undefined)[]>();
for (const [type, rows] of Object.entries(schema) as [MessageName, Record<string, Row>][]) {
  const list = Object.entries(rows).map(([name, [number, kind, shape]]): Field => {
    const message = kind in schema ? (kind as MessageName) : undefined;
    return { name, number, kind, shape: shape ?? "single", message };
  });
  const byNumber: (Field | undefined)[] = [];
  for (const field of list) byNumber[field.number] = field;
  fieldLists.set(type, list);
  fieldsByNumber.set(type, byNumber);
}

/** The fields of a message in ascending number, the order every protobuf writer uses. */
export function fieldsOf(type: MessageName): readonly Field[] {
  return fieldLists.get(type) as readonly Field[];
}

/** Field number → row, undefined where the number is unknown. */
export function fieldTable(type: MessageName): readonly (Field | undefined)[] {
  return fieldsByNumber.get(type) as readonly (Field | undefined)[];
}
