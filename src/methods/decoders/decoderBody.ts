/**
 * Builds the body of a function that decodes a matrix, out of standard operators. Parts declare the function's inputs together with
 * what one weight passes for them, so that a function and its calls cannot disagree.
 */
import { type AttributeInit, createNode } from "#model/attributes";
import type { Node } from "#model/model";
import { int64, type Tensor } from "#model/tensor";
import { weight } from "#model/weights";

/** An input of a function, and what the weight at hand passes for it. */
export interface Operand {
  readonly name: string;
  readonly tensor: Tensor;
}

export class DecoderBody {
  /** Operator set of ai.onnx that the nodes are of. */
  readonly opset: number;
  readonly nodes: Node[] = [];
  readonly operands: Operand[] = [];
  /** Results by what computes them: equal ones are computed once. */
  readonly #values = new Map<string, string>();
  readonly #matrix: readonly [rows: number, columns: number];

  constructor(opset: number, matrix: readonly [rows: number, columns: number]) {
    this.opset = opset;
    this.#matrix = matrix;
  }

  /** What distinguishes this function from others. */
  get key(): string {
    return [...this.operands.map(({ name }) => name), ...this.#values.keys()].join("\n");
  }

  /** Declares an input; returns its name. */
  input(name: string, tensor: Tensor): string {
    this.operands.push({ name, tensor });
    return name;
  }

  /** A value that every call has: a Constant. */
  constant(value: Tensor): string {
    const key = `${value.type}[${value.dims.join()}]${String(value.data)}`;
    return this.#once(key, (name) =>
      createNode("Constant", [], [name], { value: { tensor: weight("", value) } }, { name: "" }),
    );
  }

  /** → [2, 3] as int64 of dims [2] */
  ints(...values: readonly number[]): string {
    return this.constant(int64([values.length], values));
  }

  /** An int64 without dims. */
  scalar(value: number): string {
    return this.constant(int64([], [value]));
  }

  /** Applies a standard operator; returns its only output. */
  apply(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeInit>> = {}): string {
    return this.#once(`${op}(${inputs.join()})${JSON.stringify(attributes)}`, (name) =>
      createNode(op, inputs, [name], attributes, { name: "" }),
    );
  }

  /** [rows, columns] of the matrix, an input. */
  get shape(): string {
    const name = "shape";
    if (!this.operands.some((operand) => operand.name === name)) this.input(name, int64([2], this.#matrix));
    return name;
  }

  /** Elements of the matrix, int64 [1]. */
  get count(): string {
    return this.apply("ReduceProd", [this.shape], { keepdims: 1 });
  }

  /** Rows (axis 0) or columns (axis 1), without dims. */
  size(axis: 0 | 1): string {
    return this.apply("Gather", [this.shape, this.scalar(axis)]);
  }

  /** 0, 1, … below an int64 without dims. */
  range(limit: string): string {
    return this.apply("Range", [this.scalar(0), limit, this.scalar(1)]);
  }

  #once(key: string, create: (name: string) => Node): string {
    let value = this.#values.get(key);
    if (value === undefined) {
      value = `v${this.#values.size}`;
      this.#values.set(key, value);
      this.nodes.push(create(value));
    }
    return value;
  }
}
