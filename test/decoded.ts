/** Quantized matrices as a model that decodes them: what files with functions are tested on. */
import { decoderOf } from "#methods/decoders/decoder";
import { DecoderFunctions } from "#methods/decoders/decoderFunctions";
import { createNode } from "#model/attributes";
import { decoderDomain } from "#model/decoderCall";
import type { Model, Node } from "#model/model";
import { irVersionFor } from "#model/opset";
import { float32, type Tensor } from "#model/tensor";
import type { QTensor } from "#quant/qtensor";
import { modelOf } from "./modelBuilder";

/** A model whose outputs are the matrices, by name, each plus its input `x`, a single number: so nothing is a constant. */
export function decodingModel(matrices: Readonly<Record<string, QTensor>>, opset = 13): Model {
  const functions = new DecoderFunctions(opset);
  const weights: Record<string, Tensor> = {};
  const nodes: Node[] = [];
  for (const [name, q] of Object.entries(matrices)) {
    const decoder = decoderOf(q, opset);
    for (const operand of decoder.operands) weights[`${name}_${operand.name}`] = operand.tensor;
    const inputs = decoder.operands.map((operand) => `${name}_${operand.name}`);
    nodes.push(functions.call(decoder, q.scheme, inputs, `${name}_w`), createNode("Add", [`${name}_w`, "x"], [name]));
  }
  const model = modelOf({
    opset,
    inputs: { x: ["float32", []] },
    outputs: Object.keys(matrices),
    nodes,
    weights,
  });
  return {
    ...model,
    irVersion: Math.max(8, irVersionFor(opset)),
    opsets: new Map([...model.opsets, [decoderDomain, 1]]),
    functions: functions.functions,
    graph: { ...model.graph, outputs: model.graph.outputs.map((info) => ({ ...info, type: outputType })) },
  };
}

const outputType = { kind: "tensor", element: "float32", shape: [null, null] } as const;

/** What a session of such a model is fed. */
export const nothingAdded = { x: float32([], [0]) };
