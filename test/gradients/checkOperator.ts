import { type AttributeInit, createNode } from "#model/attributes";
import { inferShapes } from "#model/shapes";
import type { Tensor } from "#model/tensor";
import { modelOf } from "../modelBuilder";
import { checkGradient } from "./checkGradient";

export interface OperatorCase {
  readonly domain?: string;
  readonly opset?: number;
  /** Of which y is checked. */
  readonly outputs?: readonly string[];
  /** Inputs that are not differentiated for. */
  readonly fixed?: Readonly<Record<string, Tensor>>;
  /** The operator's inputs, "" for one left out; by default `inputs`, then `fixed`. */
  readonly order?: readonly string[];
}

/** `checkGradient` of a node by itself. */
export async function checkOperator(
  op: string,
  inputs: Readonly<Record<string, Tensor>>,
  attributes: Readonly<Record<string, AttributeInit>> = {},
  { domain = "", opset = 21, outputs = ["y"], fixed = {}, order }: OperatorCase = {},
): Promise<void> {
  const names = order ?? [...Object.keys(inputs), ...Object.keys(fixed)];
  const nodes = [createNode(op, names, outputs, attributes, { domain })];
  const declared = Object.entries(inputs).map(([name, { type, dims }]) => [name, [type, [...dims]]] as const);
  const model = modelOf({ inputs: Object.fromEntries(declared), outputs: ["y"], nodes, weights: fixed, opset });
  const dims = (await inferShapes(model)).get("y")?.shape as readonly number[];
  await checkGradient({ nodes, output: "y", inputs, weights: fixed, dims, opset });
}
