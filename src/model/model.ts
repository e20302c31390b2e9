/**
 * The graph: ONNX's structure in plain, readonly data, for any operator of any domain. Weights are references to byte ranges,
 * so a model of any size is small in memory; edits return new models that share every untouched tensor.
 *
 * Names follow onnx.proto. `unknown` holds protobuf fields this version does not know, byte for byte, so that a file of a
 * newer ONNX survives a round trip.
 */
import type { ByteSource } from "#base/bytes";
import type { ElementType } from "#model/tensor";

export interface Model {
  readonly irVersion: number;
  /** Operator set version per domain; "" is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: Graph;
  /** Model-local functions. */
  readonly functions: readonly FunctionDef[];
  readonly producer: { readonly name: string; readonly version: string };
  readonly domain: string;
  readonly modelVersion: number | bigint;
  readonly doc: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly unknown?: Uint8Array;
  /** The file it was read from. */
  readonly origin?: { readonly name: string; readonly size: number };
}

export interface Graph {
  readonly name: string;
  /** In topological order. */
  readonly nodes: readonly Node[];
  /** What a caller must give. Initializers that a file lists here too are in `overridable`. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, TensorRef>;
  /**
   * Initializers that the file declares among its inputs, by name: defaults that a caller may override. Empty before IR version 4,
   * when every initializer had to be declared so, meant or not. A name without an initializer means nothing.
   */
  readonly overridable?: ReadonlyMap<string, ValueInfo>;
  /** Sparse initializers by name, each a SparseTensorProto: passed through. */
  readonly sparse?: ReadonlyMap<string, Uint8Array>;
  /** What the file says of intermediate values. */
  readonly values: ReadonlyMap<string, ValueInfo>;
  readonly doc: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly unknown?: Uint8Array;
}

export interface Node {
  /** May be empty and need not be unique: identify a node by its first output. */
  readonly name: string;
  /** Operator type, e.g. "Conv". */
  readonly op: string;
  readonly domain: string;
  readonly overload: string;
  /** Value names; "" marks an omitted optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly doc: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly unknown?: Uint8Array;
}

/** Integers that do not fit a double exactly are bigint. Strings are bytes in ONNX; those that are not UTF-8 stay bytes. */
export type Attribute = { readonly doc?: string; readonly unknown?: Uint8Array } & (
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: number | bigint }
  | { readonly kind: "string"; readonly value: string | Uint8Array }
  | { readonly kind: "tensor"; readonly value: TensorRef }
  | { readonly kind: "graph"; readonly value: Graph }
  | { readonly kind: "type"; readonly value: ValueType }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly (number | bigint)[] }
  | { readonly kind: "strings"; readonly value: readonly (string | Uint8Array)[] }
  | { readonly kind: "tensors"; readonly value: readonly TensorRef[] }
  | { readonly kind: "graphs"; readonly value: readonly Graph[] }
  | { readonly kind: "types"; readonly value: readonly ValueType[] }
  /** In a function body: takes the value of the calling node's attribute. `type` is AttributeProto.AttributeType. */
  | { readonly kind: "reference"; readonly value: string; readonly type: number }
  /** A kind this version reads no further than its bytes (sparse tensors): passed through. `type` as above. */
  | { readonly kind: "opaque"; readonly value: Uint8Array; readonly type: number }
);

export interface FunctionDef {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attribute names without a default. */
  readonly attributes: readonly string[];
  /** Attributes with their defaults. */
  readonly defaults: ReadonlyMap<string, Attribute>;
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
  readonly values: ReadonlyMap<string, ValueInfo>;
  readonly doc: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly unknown?: Uint8Array;
}

/** A known size, a symbol shared by all dims of that name, or null when nothing is known. */
export type Dim = number | string | null;

export type ValueType = {
  /** What the value stands for, in ONNX's TypeDenotation words: "IMAGE", "TENSOR", … */
  readonly denotation?: string;
  readonly unknown?: Uint8Array;
} & (
  | {
      /** `shape` undefined: even the rank is unknown. `element` undefined: a type code of a newer ONNX, kept in `code`. */
      readonly kind: "tensor";
      readonly element: ElementType | undefined;
      readonly shape: readonly Dim[] | undefined;
      readonly code?: number;
      readonly denotations?: readonly string[];
    }
  | { readonly kind: "sequence"; readonly of: ValueType }
  | { readonly kind: "optional"; readonly of: ValueType }
  | { readonly kind: "map"; readonly key: number; readonly of: ValueType }
  /** Sparse tensors and anything newer: passed through. */
  | { readonly kind: "opaque"; readonly bytes: Uint8Array }
);

export interface ValueInfo {
  readonly name: string;
  readonly type: ValueType | undefined;
  readonly doc: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly unknown?: Uint8Array;
}

/** A weight: what it is, and where its bytes are. */
export interface TensorRef {
  readonly name: string;
  readonly element: ElementType;
  readonly dims: readonly number[];
  readonly data: TensorData;
  readonly doc: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly unknown?: Uint8Array;
}

/** Packed little-endian elements (ONNX raw_data), in memory, in a file, or made when asked for. */
export type TensorData =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "range"; readonly source: ByteSource; readonly offset: number; readonly length: number }
  | { readonly kind: "lazy"; readonly length: number; readonly load: () => Promise<Uint8Array> }
  | { readonly kind: "strings"; readonly values: readonly Uint8Array[] };
