/** Quantized average pools. Inputs X, X scale, X zero, Y scale, Y zero; with channels_last X is [N, …, C]. */
import { intAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { averagePool } from "#model/ops/AveragePool";
import { dequantized, requantized } from "#model/ops/microsoft/qlinear";
import { countOf, operand } from "#model/ops/operand";
import { poolingCost, poolingOf, poolingShape } from "#model/ops/pooling";
import { transposed } from "#model/ops/Gemm";
import type { ForwardContext, Known, Op } from "#model/ops/types";
import { sizeOf, type Tensor } from "#model/tensor";

export const QLinearAveragePool: Op = {
  domain: "com.microsoft",
  name: "QLinearAveragePool",
  infer: ({ node, inputs: [x] }) => {
    const shape = x?.shape && poolingShape(node, { ...x, shape: channelsFirst(node, x.shape) });
    return [{ element: x?.element, shape: shape && channelsBack(node, shape) }];
  },
  cost: (node, _, [y]) => poolingCost(node, y, 1, 5),
  forward: (context) =>
    throughPlanes(context, (dims, values) => {
      const pooling = poolingOf(context.node, dims);
      const counted = intAttribute(context.node, "count_include_pad", 0) !== 0;
      return { dims: pooling.dims, values: averagePool(pooling, values, counted) };
    }),
};

export const QLinearGlobalAveragePool: Op = {
  domain: "com.microsoft",
  name: "QLinearGlobalAveragePool",
  infer: ({ node, inputs: [x] }): Known[] => {
    const planes = x?.shape && channelsFirst(node, x.shape).map((dim, axis) => (axis < 2 ? dim : 1));
    return [{ element: x?.element, shape: planes && channelsBack(node, planes) }];
  },
  cost: (_, [x], [y]) => ({ macs: 0, flops: countOf(x) + 5 * countOf(y) }),
  forward: (context) =>
    throughPlanes(context, (dims, values) => {
      const size = sizeOf(dims.slice(2));
      const means = Float64Array.from({ length: dims[0] * dims[1] }, (_, plane) => {
        let sum = 0;
        for (let i = plane * size; i < (plane + 1) * size; i++) sum += values[i];
        return sum / size;
      });
      return { dims: dims.map((dim, axis) => (axis < 2 ? dim : 1)), values: means };
    }),
};

interface Planes {
  readonly dims: readonly number[];
  readonly values: Float64Array;
}

/** Dequantizes, pools planes [N, C, …], quantizes, whichever place the channels have. */
function throughPlanes(
  context: ForwardContext,
  pool: (dims: readonly number[], values: Float64Array) => Planes,
): Tensor[] {
  const { node } = context;
  const x = operand(context, 0);
  const dims = channelsFirst(node, x.dims) as readonly number[];
  const values = dequantized(context, 0);
  const pooled = pool(dims, isLast(node) ? moved(values, dims[0], sizeOf(dims.slice(2)), dims[1]) : values);
  const [batch, channels, ...spatial] = pooled.dims;
  const back = isLast(node) ? moved(pooled.values, batch, channels, sizeOf(spatial)) : pooled.values;
  return [requantized(context, 3, x.type, channelsBack(node, pooled.dims) as readonly number[], back)];
}

/** [batch, rows, columns] → [batch, columns, rows] */
function moved(values: Float64Array, batch: number, rows: number, columns: number): Float64Array {
  const out = new Float64Array(values.length);
  const size = rows * columns;
  for (let n = 0; n < batch; n++)
    out.set(transposed(values.subarray(n * size, (n + 1) * size), rows, columns), n * size);
  return out;
}

function isLast(node: Node): boolean {
  return intAttribute(node, "channels_last", 0) !== 0;
}

function channelsFirst(node: Node, dims: readonly Dim[]): readonly Dim[] {
  return isLast(node) ? [dims[0], dims[dims.length - 1], ...dims.slice(1, -1)] : dims;
}

function channelsBack(node: Node, [batch, channels, ...spatial]: readonly Dim[]): readonly Dim[] {
  return isLast(node) ? [batch, ...spatial, channels] : [batch, channels, ...spatial];
}
