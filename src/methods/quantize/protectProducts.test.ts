import { expect, test } from "vitest";
import { protectProducts } from "#methods/quantize/protectProducts";
import { createNode } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import { float32, tensor } from "#model/tensor";
import { modelOf } from "../../../test/modelBuilder";

test("a vector added to a product of codes gets a second axis; one added to a product of floats stays", () => {
  const model = modelOf({
    inputs: { x: ["float32", [2, 3, 4]] },
    outputs: ["y", "z"],
    nodes: [
      createNode("DequantizeLinear", ["w", "s"], ["d"]),
      createNode("MatMul", ["x", "d"], ["p"]),
      createNode("Add", ["b", "p"], ["y"]),
      createNode("MatMul", ["x", "f"], ["q"]),
      createNode("Add", ["q", "b"], ["z"]),
    ],
    weights: {
      w: tensor("int8", [4, 2], new Int8Array(8)),
      s: float32([], [0.5]),
      b: float32([2], [1, 2]),
      f: float32([4, 2], new Float32Array(8)),
    },
  });
  const draft = new GraphDraft(model.graph);
  protectProducts(draft);
  const { nodes, initializers } = draft.finish();
  const [onCodes, onFloats] = nodes.filter((node) => node.op === "Add");
  expect(initializers.get(onCodes.inputs[0])?.dims).toEqual([1, 2]);
  expect(onCodes.inputs[1]).toBe("p");
  expect(onFloats.inputs).toEqual(["q", "b"]);
});
