import { LowbitError } from "#base/errors";
import { unpackBits } from "#math/packing";
import { intAttribute } from "#model/attributes";
import { countOf, operand, placeOf } from "#model/ops/operand";
import { dot } from "#model/ops/recurrence";
import { allocateChecked } from "#model/ops/strides";
import type { ForwardContext, Op } from "#model/ops/types";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";

/**
 * A·Wᵀ + bias with W [N, K] in `bits`-bit codes: W = (code − zero)·scale, one scale and zero point per `block_size`
 * codes along K. Inputs A [… K], codes uint8 [N, blocks, block_size·bits/8] (lowest bits first), scales [N, blocks],
 * optional zero points (packed like the codes, row by row, or of A's type; default 2^(bits − 1)), optional g_idx [K]
 * naming each column's block, optional bias [N]. accuracy_level, which lets a runtime quantize A, changes nothing here.
 */
export const MatMulNBits: Op = {
  domain: "com.microsoft",
  name: "MatMulNBits",
  infer: ({ node, inputs: [a] }) => [
    { element: a?.element, shape: a?.shape && [...a.shape.slice(0, -1), intAttribute(node, "N", 0)] },
  ],
  cost: (node, inputs, [y]) => ({
    macs: countOf(y) * intAttribute(node, "K", 0),
    flops: 2 * intAttribute(node, "K", 0) * intAttribute(node, "N", 0) + (inputs[5] ? countOf(y) : 0),
  }),
  forward: (context) => {
    const a = operand(context, 0);
    const [columns, rows] = [intAttribute(context.node, "K", 0), intAttribute(context.node, "N", 0)];
    if (a.dims.at(-1) !== columns)
      throw new LowbitError("model/shape", `A [${a.dims.join(", ")}] does not have K = ${columns} columns`, {
        at: placeOf(context.node),
      });
    const weights = decodedWeights(context, rows, columns);
    const [values, bias] = [toNumbers(a), context.inputs[5] && toNumbers(context.inputs[5])];
    const dims = [...a.dims.slice(0, -1), rows];
    const y = allocateChecked("float64", dims) as Float64Array;
    for (let at = 0; at < y.length; at++) {
      const [m, n] = [Math.floor(at / rows), at % rows];
      y[at] = dot(values, m * columns, weights, n * columns, columns) + (bias === undefined ? 0 : bias[n]);
    }
    return [fromNumbers(a.type, dims, y)];
  },
};

/** W [N, K] as numbers. */
function decodedWeights(context: ForwardContext, rows: number, columns: number): Float64Array {
  const { node } = context;
  const [bits, size] = [intAttribute(node, "bits", 4), intAttribute(node, "block_size", 0)];
  const blocks = Math.ceil(columns / size);
  const packed = operand(context, 1);
  const scales = toNumbers(operand(context, 2));
  if (packed.data.length !== (rows * blocks * size * bits) / 8 || scales.length !== rows * blocks)
    throw new LowbitError(
      "model/shape",
      `codes [${packed.dims.join(", ")}] are not ${rows}×${columns} of ${bits} bits in blocks of ${size}`,
      { at: placeOf(node) },
    );
  const codes = unpackBits(packed.data as Uint8Array, bits, rows * blocks * size);
  const zeros = unpackedZeros(context.inputs[3], rows, blocks, bits);
  const order = context.inputs[4] && toNumbers(context.inputs[4]);
  const weights = allocateChecked("float64", [rows, columns]) as Float64Array;
  for (let n = 0; n < rows; n++) {
    for (let k = 0; k < columns; k++) {
      const block = n * blocks + (order === undefined ? Math.floor(k / size) : order[k]);
      const zero = zeros === undefined ? 2 ** (bits - 1) : zeros[block];
      weights[n * columns + k] = (codes[n * blocks * size + k] - zero) * scales[block];
    }
  }
  return weights;
}

/** One zero point per block; each row of packed ones starts at a byte. */
function unpackedZeros(
  zeros: Tensor | undefined,
  rows: number,
  blocks: number,
  bits: number,
): ArrayLike<number> | undefined {
  if (zeros === undefined) return undefined;
  if (zeros.type !== "uint8") return toNumbers(zeros);
  const perRow = Math.ceil((blocks * bits) / 8);
  const out = new Uint8Array(rows * blocks);
  for (let n = 0; n < rows; n++) {
    const row = (zeros.data as Uint8Array).subarray(n * perRow, (n + 1) * perRow);
    out.set(unpackBits(row, bits, blocks), n * blocks);
  }
  return out;
}
