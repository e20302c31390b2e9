import type { Model, Node } from "#model/model";
import { sizeOf } from "#model/tensor";

/** Inputs of an operator that hold what is learned, not what is configured. */
const learned: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [0, 1, 2],
  MatMul: [0, 1],
  BatchNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LayerNormalization: [1, 2],
  GroupNormalization: [1, 2],
  RMSNormalization: [1],
  PRelu: [1],
  Gather: [0],
};

/** In between, a weight may only be moved. */
const moves = new Set(["Transpose", "Reshape", "Identity", "Unsqueeze", "Squeeze"]);

/**
 * Names of the weights that training changes unless told otherwise: float32 matrices, kernels, biases, scales and shifts of layers and
 * normalizations, embeddings; and vectors that are added to or multiplied with values, as exporters write them. Not: running statistics,
 * scalars, constants of Clip or Pad.
 */
export function trainableWeights({ graph }: Model): string[] {
  const origin = new Map<string, string>();
  for (const [name, { element, dims }] of graph.initializers)
    if (element === "float32" && dims.length > 0 && sizeOf(dims) > 0) origin.set(name, name);
  const found = new Set<string>();
  for (const node of graph.nodes) {
    const from = origin.get(node.inputs[0]);
    if (from !== undefined && node.domain === "" && moves.has(node.op)) origin.set(node.outputs[0], from);
    for (const i of learnedInputs(node)) {
      const weight = origin.get(node.inputs[i] ?? "");
      if (weight !== undefined) found.add(weight);
    }
  }
  return [...graph.initializers.keys()].filter((name) => found.has(name));
}

function learnedInputs({ op, domain, inputs }: Node): readonly number[] {
  if (domain !== "") return [];
  // a vector beside a value: a bias after a MatMul, or the scale of a normalization that is written out
  if (op === "Add" || op === "Mul") return inputs.length === 2 ? [0, 1] : [];
  return learned[op] ?? [];
}
