import { LowbitError } from "#base/errors";
import { floatAttribute, intAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { addDims, divideDims, multiplyDims } from "#model/ops/dims";
import { countOf, dimsOf, operand, placeOf } from "#model/ops/operand";
import { dot } from "#model/ops/recurrence";
import { softmax } from "#model/ops/Softmax";
import { broadcastOffsets } from "#model/ops/strides";
import type { ForwardContext, InferContext, Known, Op } from "#model/ops/types";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";

/**
 * Scaled dot-product attention: softmax(cap(Q·Kᵀ·scale) + mask)·V. Inputs Q, K, V ([N, heads, length, size], or [N,
 * length, heads·size] with the head counts as attributes), attn_mask, past key and value, number of valid keys per
 * sample; query heads share key heads in groups. Outputs Y, present key and value (past and new ones joined), and the
 * scores at the stage qk_matmul_output_mode: 0 raw, 1 capped, 2 masked, 3 softmax. A query that may attend to nothing
 * gives zeros.
 */
export const Attention: Op = {
  domain: "",
  name: "Attention",
  infer,
  cost: (node, inputs) => {
    const [, keys, values, scores] = infer({ node, opset: 23, inputs, inferGraph: () => [] });
    return {
      macs: countOf(scores) * ((dimsOf(keys).at(-1) ?? 0) + (dimsOf(values).at(-1) ?? 0)),
      flops: 6 * countOf(scores),
    };
  },
  forward: (context) => {
    const { node } = context;
    const queries = headsOf(node, operand(context, 0), "q_num_heads");
    const keys = joined(context.inputs[4], headsOf(node, operand(context, 1), "kv_num_heads"));
    const values = joined(context.inputs[5], headsOf(node, operand(context, 2), "kv_num_heads"));
    const [batch, heads, length, size] = queries.dims;
    const [, keyHeads, total] = keys.dims;
    const valueSize = values.dims[3];
    if (keys.dims[3] !== size || heads % keyHeads !== 0 || values.dims[2] !== total)
      throw new LowbitError(
        "model/shape",
        `Attention of Q [${queries.dims.join(", ")}], K [${keys.dims.join(", ")}], V [${values.dims.join(", ")}]`,
        { at: placeOf(node) },
      );
    const scale = floatAttribute(node, "scale", 1 / Math.sqrt(size));
    const softcap = floatAttribute(node, "softcap", 0);
    const mode = intAttribute(node, "qk_matmul_output_mode", 0);
    const bias = biasOf(context, queries.dims);
    const stages = new Float64Array(batch * heads * length * total);
    const y = new Float64Array(batch * heads * length * valueSize);
    const [scores, shares] = [new Float64Array(total), new Float64Array(total)];
    for (let row = 0; row < batch * heads * length; row++) {
      const [n, head] = [Math.floor(row / (heads * length)), Math.floor(row / length) % heads];
      const group = n * keyHeads + Math.floor((head * keyHeads) / heads);
      const keep = (stage: number, from: Float64Array): void => void (mode === stage && stages.set(from, row * total));
      for (let j = 0; j < total; j++)
        scores[j] = dot(queries.data, row * size, keys.data, (group * total + j) * size, size) * scale;
      keep(0, scores);
      if (softcap > 0) for (let j = 0; j < total; j++) scores[j] = softcap * Math.tanh(scores[j] / softcap);
      keep(1, scores);
      let blind = true;
      for (let j = 0; j < total; j++) {
        const term = bias(row, j);
        scores[j] = term === forbidden ? forbidden : scores[j] + term;
        if (term !== forbidden) blind = false;
      }
      keep(2, scores);
      if (blind) shares.fill(0);
      else softmax(scores, shares, 0, total, 1);
      keep(3, shares);
      for (let j = 0; j < total; j++) {
        // a key that may not be seen may hold anything, NaN too
        if (shares[j] === 0) continue;
        const from = (group * total + j) * valueSize;
        for (let e = 0; e < valueSize; e++) y[row * valueSize + e] += shares[j] * values.data[from + e];
      }
    }
    const { type, dims } = operand(context, 0);
    const output: Heads = { dims: [batch, heads, length, valueSize], data: y };
    const attended = dims.length === 3 ? { dims: [batch, length, heads * valueSize], data: swapped(output) } : output;
    return [
      fromNumbers(type, attended.dims, attended.data),
      fromNumbers(operand(context, 1).type, keys.dims, keys.data),
      fromNumbers(operand(context, 2).type, values.dims, values.data),
      fromNumbers(type, [batch, heads, length, total], stages),
    ];
  },
};

/** [N, heads, length, size] */
interface Heads {
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array;
}

function headsOf(node: Node, x: Tensor, attribute: string): Heads {
  const data = toNumbers(x);
  if (x.dims.length === 4) return { dims: x.dims, data };
  const heads = intAttribute(node, attribute, 0);
  const [batch, length, width] = x.dims;
  if (x.dims.length !== 3 || heads <= 0 || width % heads !== 0)
    throw new LowbitError("model/shape", `[${x.dims.join(", ")}] has no ${heads} heads`, { at: placeOf(node) });
  const size = width / heads;
  return { dims: [batch, heads, length, size], data: swapped({ dims: [batch, length, heads, size], data }) };
}

/** Exchanges axes 1 and 2. */
function swapped({ dims: [batch, rows, columns, size], data }: Heads): Float64Array {
  const out = new Float64Array(data.length);
  for (let n = 0, at = 0; n < batch; n++) {
    for (let c = 0; c < columns; c++) {
      for (let r = 0; r < rows; r++, at += size) {
        const from = ((n * rows + r) * columns + c) * size;
        out.set(data.subarray(from, from + size), at);
      }
    }
  }
  return out;
}

/** Past and new keys (or values) of each head, one behind the other. */
function joined(past: Tensor | undefined, { dims, data }: Heads): Heads {
  if (past === undefined) return { dims, data };
  const [batch, heads, length, size] = dims;
  const [before, old] = [past.dims[2], toNumbers(past)];
  const total = before + length;
  const out = new Float64Array(batch * heads * total * size);
  for (let h = 0; h < batch * heads; h++) {
    out.set(old.subarray(h * before * size, (h + 1) * before * size), h * total * size);
    out.set(data.subarray(h * length * size, (h + 1) * length * size), (h * total + before) * size);
  }
  return { dims: [batch, heads, total, size], data: out };
}

/**
 * What is added to the score of query row (counted over samples and heads) and key j: 0, −∞ where forbidden, or the
 * mask's term.
 */
function biasOf(
  { node, inputs }: ForwardContext,
  [batch, heads, length]: readonly number[],
): (row: number, j: number) => number {
  const causal = intAttribute(node, "is_causal", 0) !== 0;
  const [left, right] = [intAttribute(node, "left_window_size", -1), intAttribute(node, "right_window_size", -1)];
  const valid = inputs[6] && toNumbers(inputs[6]);
  const past = inputs[4]?.dims[2];
  const mask = inputs[3];
  const width = mask?.dims.at(-1) ?? 0;
  const terms = mask && toNumbers(mask);
  const offsets = mask && broadcastOffsets(mask.dims, [batch, heads, length, width]);
  return (row, j) => {
    const n = Math.floor(row / (heads * length));
    // how many keys come before the first query
    const offset = past ?? (valid === undefined ? 0 : valid[n] - length);
    const ahead = j - (row % length) - offset;
    if ((causal && ahead > 0) || (left >= 0 && -ahead > left) || (right >= 0 && ahead > right)) return forbidden;
    if (valid !== undefined && j >= valid[n]) return forbidden;
    if (terms === undefined) return 0;
    // a mask may be shorter than the keys: those it does not speak of are forbidden
    if (j >= width) return forbidden;
    const at = row * width + j;
    const term = terms[offsets === undefined ? at : offsets[at]];
    return mask?.type === "bool" ? (term === 0 ? forbidden : 0) : term;
  };
}

const forbidden = Number.NEGATIVE_INFINITY;

function infer({ node, inputs }: InferContext): Known[] {
  const [q, k, v, , pastKey] = inputs;
  const element = q?.element;
  const [queries, keys, values] = [
    headDims(node, q, "q_num_heads"),
    headDims(node, k, "kv_num_heads"),
    headDims(node, v, "kv_num_heads"),
  ];
  if (queries === undefined || keys === undefined || values === undefined)
    return [
      { element, shape: undefined },
      { element, shape: undefined },
      { element, shape: undefined },
      { element, shape: undefined },
    ];
  const [batch, heads, length] = queries;
  const total = pastKey === undefined ? keys[2] : addDims(pastKey.shape?.[2] ?? null, keys[2]);
  const size = values[3];
  return [
    {
      element,
      shape: q?.shape?.length === 3 ? [batch, length, multiplyDims(heads, size)] : [batch, heads, length, size],
    },
    { element: k?.element, shape: [batch, keys[1], total, keys[3]] },
    { element: v?.element, shape: [batch, values[1], total, size] },
    { element, shape: [batch, heads, length, total] },
  ];
}

function headDims(node: Node, x: Known | undefined, attribute: string): readonly Dim[] | undefined {
  if (x?.shape === undefined) return undefined;
  if (x.shape.length === 4) return x.shape;
  const heads = intAttribute(node, attribute, 0) || null;
  return [x.shape[0], heads, x.shape[1], divideDims(x.shape[2], heads)];
}
