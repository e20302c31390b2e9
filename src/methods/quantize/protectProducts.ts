/**
 * ONNX Runtime (1.21 and newer) turns a MatMul of known shape and the Add of a vector behind it into Reshape → Gemm → Reshape before
 * it looks for int8 products, and that Gemm it then computes in float, weights decoded every time: 3 times slower than the float
 * model, where the int8 product would be 4 times faster (128×768 by 768×768). The same numbers as [1, N] are passed over.
 */
import { createNode } from "#model/attributes";
import type { GraphDraft } from "#model/edit";

/** Gives the vectors added to products of codes a second axis. */
export function protectProducts(draft: GraphDraft): void {
  for (const original of draft.nodes()) {
    const node = draft.current(original);
    if (node?.op !== "MatMul" || node.domain !== "") continue;
    if (draft.producer(node.inputs[1])?.op !== "DequantizeLinear") continue;
    for (const reader of draft.consumers(node.outputs[0])) {
      if (reader.op !== "Add" || reader.domain !== "") continue;
      const side = reader.inputs[0] === node.outputs[0] ? 1 : 0;
      const ref = draft.initializer(reader.inputs[side]);
      if (ref === undefined || draft.isInput(ref.name) || ref.dims.length !== 1) continue;
      const row = draft.addInitializer({ ...ref, name: `${ref.name}_row`, dims: [1, ...ref.dims] });
      draft.update(reader, createNode("Add", reader.inputs.toSpliced(side, 1, row), reader.outputs, {}, reader));
    }
  }
}
