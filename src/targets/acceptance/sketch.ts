import { createRng, type Rng } from "#base/rng";
import { type AttributeInit, createNode } from "#model/attributes";
import type { FunctionDef, Model, Node, TensorRef, ValueInfo } from "#model/model";
import { irVersionFor } from "#model/opset";
import { type ElementType, elementTypes, float32, fromNumbers, sizeOf, type Tensor } from "#model/tensor";
import { weight } from "#model/weights";
import type { AcceptanceCase } from "#targets/acceptance/types";

const none: ReadonlyMap<string, string> = new Map();

export interface SketchOptions {
  /** Default 13: the first with scales per channel. */
  readonly opset?: number;
  /** Default: the lowest that may carry the operator set. */
  readonly irVersion?: number;
}

/** A small model in the making, with feeds: each call adds something and gives its name. Random numbers come from the case's id. */
export class Sketch {
  readonly rng: Rng;
  readonly #id: string;
  readonly #options: SketchOptions;
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, TensorRef>();
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #feeds: Record<string, Tensor> = {};
  readonly #functions: FunctionDef[] = [];
  #count = 0;

  constructor(id: string, options: SketchOptions = {}) {
    this.rng = createRng(id);
    this.#id = id;
    this.#options = options;
  }

  /** A graph input and what it is fed. */
  input(fed: Tensor): string {
    const name = `x${this.#inputs.length}`;
    this.#inputs.push(value(name, fed.type, fed.dims));
    this.#feeds[name] = fed;
    return name;
  }

  constant(content: Tensor): string {
    const name = this.#fresh("c");
    this.#initializers.set(name, weight(name, content));
    return name;
  }

  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInit>> = {},
    domain = "",
  ): string {
    return this.nodes(op, inputs, 1, attributes, domain)[0];
  }

  /** A node with several outputs. */
  nodes(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, AttributeInit>> = {},
    domain = "",
  ): string[] {
    const names = Array.from({ length: outputs }, () => this.#fresh("v"));
    this.#nodes.push(createNode(op, inputs, names, attributes, { domain }));
    return names;
  }

  output(name: string, type: ElementType = "float32"): void {
    this.#outputs.push(value(name, type, undefined));
  }

  define(definition: FunctionDef): void {
    this.#functions.push(definition);
  }

  finish(
    about: string,
    tolerance: number,
    more: Pick<AcceptanceCase, "codes" | "varies" | "twin"> = {},
  ): AcceptanceCase {
    return { id: this.#id, about, model: this.model(), feeds: this.#feeds, tolerance, ...more };
  }

  model(): Model {
    const { opset = 13, irVersion = irVersionFor(opset) } = this.#options;
    const domains = new Set([...this.#nodes, ...this.#functions.flatMap(({ nodes }) => nodes)].map((n) => n.domain));
    domains.delete("");
    return {
      irVersion,
      opsets: new Map([["", opset], ...[...domains].map((domain): [string, number] => [domain, 1])]),
      graph: {
        name: "case",
        nodes: this.#nodes,
        inputs: this.#inputs,
        outputs: this.#outputs,
        initializers: this.#initializers,
        values: new Map(),
        doc: "",
        metadata: none,
      },
      functions: this.#functions,
      producer: { name: "lowbit", version: "" },
      domain: "",
      modelVersion: 0,
      doc: "",
      metadata: none,
    };
  }

  /** Uniform in [−1, 1), as float32. */
  floats(dims: readonly number[], scale = 1): Tensor {
    return float32(
      dims,
      Float32Array.from({ length: sizeOf(dims) }, () => (this.rng.uniform() * 2 - 1) * scale),
    );
  }

  /**
   * Random codes. 8-bit weights stay within half their range, so that processors whose int8 pair sums saturate at 16 bits
   * give the same answer (`low`, `high`: default all codes of the type).
   */
  codes(type: ElementType, dims: readonly number[], low?: number, high?: number): Tensor {
    const { bits } = elementTypes[type];
    const least = low ?? (type.startsWith("u") ? 0 : -(2 ** (bits - 1)));
    const most = high ?? (type.startsWith("u") ? 2 ** bits - 1 : 2 ** (bits - 1) - 1);
    const numbers = Float64Array.from({ length: sizeOf(dims) }, () => least + this.rng.below(most - least + 1));
    return fromNumbers(type, dims, numbers);
  }

  #fresh(prefix: string): string {
    return `${prefix}${this.#count++}`;
  }
}

function value(name: string, element: ElementType, shape: readonly number[] | undefined): ValueInfo {
  return { name, type: { kind: "tensor", element, shape }, doc: "", metadata: none };
}
