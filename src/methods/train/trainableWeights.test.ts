import { expect, test } from "vitest";
import { trainableWeights } from "#methods/train/trainableWeights";
import { createNode } from "#model/attributes";
import { float32, int64, tensor } from "#model/tensor";
import { modelOf } from "../../../test/modelBuilder";

const vector = float32([2], [1, 2]);
const matrix = float32([2, 2], [1, 2, 3, 4]);

test("what layers learn is trained, and what configures them is not", () => {
  const model = modelOf({
    inputs: { x: ["float32", ["N", 2]] },
    outputs: ["y"],
    weights: {
      transposed: matrix,
      bias: vector,
      scale: vector,
      shift: vector,
      mean: vector,
      variance: vector,
      two: float32([], [2]),
      low: float32([], [0]),
      codes: tensor("int8", [2, 2], Int8Array.of(1, 2, 3, 4)),
      shape: int64([2], [-1, 2]),
    },
    nodes: [
      createNode("Transpose", ["transposed"], ["w"]),
      createNode("MatMul", ["x", "w"], ["p"]),
      createNode("Add", ["p", "bias"], ["q"]),
      createNode("BatchNormalization", ["q", "scale", "shift", "mean", "variance"], ["n"]),
      createNode("Mul", ["n", "two"], ["m"]),
      createNode("Clip", ["m", "low"], ["c"]),
      createNode("Reshape", ["c", "shape"], ["y"]),
    ],
  });
  expect(trainableWeights(model)).toEqual(["transposed", "bias", "scale", "shift"]);
});
