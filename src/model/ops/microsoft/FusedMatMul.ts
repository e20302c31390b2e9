import { floatAttribute, intAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { matrixProductCost, matrixProductOf, matrixProductShape, multiplyMatrices } from "#model/ops/matrixProduct";
import { countOf, operand } from "#model/ops/operand";
import { offsetsOf, ramp, stridesOf, take } from "#model/ops/strides";
import type { Known, Op } from "#model/ops/types";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";

/**
 * alpha · A′B′ by NumPy's matmul. transA and transB exchange the last two axes; transBatchA and transBatchB first move
 * the first axis behind the other batch axes.
 */
export const FusedMatMul: Op = {
  domain: "com.microsoft",
  name: "FusedMatMul",
  infer: ({ node, inputs: [a, b] }) => {
    const shape = matrixProductShape(transposedKnown(node, a, "A"), transposedKnown(node, b, "B"));
    return [{ element: a?.element, shape }];
  },
  cost: (node, [a], [y]) => ({ macs: matrixProductCost(transposedKnown(node, a, "A"), y).macs, flops: countOf(y) }),
  forward: (context) => {
    const { node } = context;
    const [a, b] = [transposed(node, operand(context, 0), "A"), transposed(node, operand(context, 1), "B")];
    const product = matrixProductOf(node, a.dims, b.dims);
    const alpha = floatAttribute(node, "alpha", 1);
    const y = multiplyMatrices(product, toNumbers(a), toNumbers(b)).map((value) => value * alpha);
    return [fromNumbers(a.type, product.dims, y)];
  },
};

/** The order of axes that the attributes ask for. → rank 4 with both: [1, 2, 3, 0] */
function orderOf(node: Node, rank: number, side: "A" | "B"): number[] {
  const order = Array.from({ length: rank }, (_, axis) => axis);
  if (rank < 2) return order;
  if (intAttribute(node, `transBatch${side}`, 0) !== 0) order.splice(rank - 2, 0, ...order.splice(0, 1));
  if (intAttribute(node, `trans${side}`, 0) !== 0) order.push(...order.splice(rank - 2, 1));
  return order;
}

function transposed(node: Node, x: Tensor, side: "A" | "B"): Tensor {
  const order = orderOf(node, x.dims.length, side);
  const strides = stridesOf(x.dims);
  const dims = order.map((axis) => x.dims[axis]);
  return take(x, dims, offsetsOf(order.map((axis) => ramp(x.dims[axis], strides[axis]))));
}

function transposedKnown(node: Node, x: Known | undefined, side: "A" | "B"): Known | undefined {
  const shape = x?.shape;
  return shape && { ...x, shape: orderOf(node, shape.length, side).map((axis) => shape[axis]) };
}
