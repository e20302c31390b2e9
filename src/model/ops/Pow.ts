import type { Node } from "#model/model";
import { broadcastDims } from "#model/ops/broadcast";
import { legacyDims, legacyKnown } from "#model/ops/binary";
import { zipElements } from "#model/ops/elementwise";
import { inputOf, isInteger } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import { withDims } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";

/**
 * x to the power y, of x's type. Since operator set 12 the two may have different types: integers to integer powers are
 * exact and wrap; if only one of the two is an integer, floating point decides and the result is converted back.
 */
export const Pow: Op = {
  domain: "",
  name: "Pow",
  infer: (context) => {
    const x = inputOf(context, 0);
    const y = legacyKnown(context.node, context.opset, x, inputOf(context, 1));
    return [{ element: x.element, shape: broadcastDims(x.shape, y.shape) }];
  },
  cost: (_, __, [z]) => ({ macs: 0, flops: countOf(z) }),
  forward: (context) => {
    const { node, opset } = context;
    const [x, given] = [operand(context, 0), operand(context, 1)];
    const y = withDims(given, legacyDims(node, opset, x.dims, given.dims));
    return [power(node, x, y)];
  },
};

function power(node: Node, x: Tensor, y: Tensor): Tensor {
  if (!isInteger(x.type) || !isInteger(y.type)) {
    const result = zipElements(node, asFloat64(x), asFloat64(y), { float: (a, b) => a ** b });
    return fromNumbers(x.type, result.dims, toNumbers(result));
  }
  const exact = zipElements(node, asInt64(x), asInt64(y), { bigint: integerPower });
  if (x.type === "int64" || x.type === "uint64") {
    const data = x.type === "int64" ? exact.data : BigUint64Array.from(exact.data as BigInt64Array);
    return { type: x.type, dims: exact.dims, data };
  }
  const low = Float64Array.from(exact.data as BigInt64Array, (value) => Number(BigInt.asIntN(32, value)));
  return fromNumbers(x.type, exact.dims, low);
}

/** aᵇ in two's complement of 64 bits, by squaring. A negative power of an integer is 0 but for 1 and −1. */
function integerPower(a: bigint, b: bigint): bigint {
  if (b < 0n) return a === 1n || (a === -1n && b % 2n === 0n) ? 1n : a === -1n ? -1n : 0n;
  let result = 1n;
  for (let base = a, left = b; left > 0n; left >>= 1n, base = BigInt.asIntN(64, base * base)) {
    if (left & 1n) result = BigInt.asIntN(64, result * base);
  }
  return result;
}

const asFloat64 = (x: Tensor): Tensor => ({ type: "float64", dims: x.dims, data: Float64Array.from(toNumbers(x)) });

const asInt64 = (x: Tensor): Tensor => ({
  type: "int64",
  dims: x.dims,
  data: BigInt64Array.from(Array.from(x.data as ArrayLike<number | bigint>, BigInt)),
});
