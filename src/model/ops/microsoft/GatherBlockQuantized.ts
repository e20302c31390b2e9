import { LowbitError } from "#base/errors";
import { unpackBits } from "#math/packing";
import { intAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { axisAttribute } from "#model/ops/axes";
import { multiplyDims } from "#model/ops/dims";
import { outputDims } from "#model/ops/known";
import { countOf, operand, placeOf } from "#model/ops/operand";
import { allocateChecked, stridesOf } from "#model/ops/strides";
import type { ForwardContext, InferContext, Known, Op } from "#model/ops/types";
import { fromNumbers, sizeOf, type Tensor, toNumbers } from "#model/tensor";

/**
 * Gather of a table stored in blocks: (code − zero)·scale, one scale per `block_size` codes along `quantize_axis`.
 * Inputs data (4-bit integers, or uint8 that holds `bits`-bit codes packed along its last axis), indices, scales,
 * optional zero points (stored like the data; default 0, of uint8 data 2^(bits − 1)).
 */
export const GatherBlockQuantized: Op = {
  domain: "com.microsoft",
  name: "GatherBlockQuantized",
  infer,
  cost: (_, __, [y]) => ({ macs: 0, flops: 2 * countOf(y) }),
  forward: (context) => {
    const { node } = context;
    const [data, indices, scales] = [operand(context, 0), operand(context, 1), operand(context, 2)];
    const dims = tableDims(node, data.dims, data.type === "uint8") as readonly number[];
    const [target] = outputDims(infer, context);
    const decode = decoder(context, dims, toNumbers(scales));
    const axis = axisAttribute(node, 0, dims.length, "gather_axis");
    const [length, inner] = [dims[axis], stridesOf(dims)[axis]];
    const y = allocateChecked("float64", target) as Float64Array;
    const chosen = toNumbers(indices);
    for (let at = 0; at < y.length; at++) {
      const index = chosen[Math.floor(at / inner) % chosen.length];
      if (!(index >= -length && index < length))
        throw new LowbitError("model/shape", `index ${index} is outside of an axis of ${length}`, {
          at: placeOf(node),
        });
      const outer = Math.floor(at / (inner * chosen.length));
      y[at] = decode((outer * length + (index < 0 ? index + length : index)) * inner + (at % inner));
    }
    return [fromNumbers(scales.type, target, y)];
  },
};

/** The table's element at a flat position. */
function decoder(context: ForwardContext, dims: readonly number[], scales: ArrayLike<number>): (at: number) => number {
  const { node } = context;
  const data = operand(context, 0);
  const axis = axisAttribute(node, 1, dims.length, "quantize_axis");
  const size = intAttribute(node, "block_size", 128);
  const [length, inner] = [dims[axis], stridesOf(dims)[axis]];
  const blocks = Math.ceil(length / size);
  const perScale = dims.map((dim, a) => (a === axis ? blocks : dim));
  if (scales.length !== sizeOf(perScale))
    throw new LowbitError("model/shape", `${scales.length} scales for blocks [${perScale.join(", ")}]`, {
      at: placeOf(node),
    });
  const codes = unpacked(node, data, dims);
  const zeros = context.inputs[3] && unpacked(node, context.inputs[3], perScale);
  const middle = data.type === "uint8" ? 2 ** (intAttribute(node, "bits", 4) - 1) : 0;
  return (at) => {
    const row = Math.floor(at / (inner * length));
    const block = (row * blocks + Math.floor((Math.floor(at / inner) % length) / size)) * inner + (at % inner);
    return (codes[at] - (zeros === undefined ? middle : zeros[block])) * scales[block];
  };
}

/** Codes one by one; packed rows of `dims`' last axis start at a byte. */
function unpacked(node: Node, value: Tensor, dims: readonly number[]): ArrayLike<number> {
  const bits = intAttribute(node, "bits", 4);
  if (value.type !== "uint8" || bits === 8) return toNumbers(value);
  const last = dims[dims.length - 1];
  const perRow = Math.ceil((last * bits) / 8);
  const out = new Uint8Array(sizeOf(dims));
  for (let row = 0; row < out.length / last; row++) {
    const bytes = (value.data as Uint8Array).subarray(row * perRow, (row + 1) * perRow);
    out.set(unpackBits(bytes, bits, last), row * last);
  }
  return out;
}

function tableDims(node: Node, dims: readonly Dim[], packed: boolean): readonly Dim[] {
  const perByte = packed ? 8 / intAttribute(node, "bits", 4) : 1;
  return dims.map((dim, axis) => (axis === dims.length - 1 ? multiplyDims(dim, perByte) : dim));
}

function infer({ node, inputs: [data, indices, scales] }: InferContext): Known[] {
  const element = scales?.element;
  if (data?.shape === undefined || indices?.shape === undefined) return [{ element, shape: undefined }];
  const dims = tableDims(node, data.shape, data.element === "uint8");
  const axis = axisAttribute(node, 0, dims.length, "gather_axis");
  return [{ element, shape: [...dims.slice(0, axis), ...indices.shape, ...dims.slice(axis + 1)] }];
}
