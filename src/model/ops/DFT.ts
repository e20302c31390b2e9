import { LowbitError } from "#base/errors";
import { intAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { normalizeAxis } from "#model/ops/axes";
import { integersOf, knownTensor } from "#model/ops/known";
import { countOf, dimsOf, operand, placeOf } from "#model/ops/operand";
import { transformer } from "#model/ops/spectrum";
import { allocateChecked, stridesOf } from "#model/ops/strides";
import type { Known, Op } from "#model/ops/types";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * Discrete Fourier transform along one axis. The last axis holds real (1) or real and imaginary parts (2). Inputs X,
 * optional length, optional axis (an attribute before operator set 20). One-sided, the forward transform keeps bins 0 …
 * N/2 of a real signal, and the inverse makes a real signal of them.
 */
export const DFT: Op = {
  domain: "",
  name: "DFT",
  infer: ({ node, opset, inputs }) => {
    const x = inputs[0];
    if (x?.shape === undefined) return [{ element: x?.element, shape: undefined }];
    const axis = axisOf(node, opset, inputs, x.shape.length);
    if (axis === undefined) return [{ element: x.element, shape: undefined }];
    const length = lengthOf(node, inputs, x.shape[axis]);
    return [{ element: x.element, shape: targetDims(node, x.shape, axis, length) }];
  },
  // by the definition: every result is a sum over the whole axis
  cost: (node, inputs, [y]) => {
    const x = dimsOf(inputs[0]);
    const axis = axisOf(node, node.attributes.has("axis") ? 17 : 20, inputs, x.length) ?? 0;
    return { macs: 0, flops: 4 * countOf(y) * x[axis] };
  },
  forward: (context) => {
    const { node, opset, inputs } = context;
    const x = operand(context, 0);
    const known = inputs.map((input) => input && knownTensor(input));
    const axis = axisOf(node, opset, known, x.dims.length) ?? 0;
    const length = lengthOf(node, known, x.dims[axis]) as number;
    const dims = targetDims(node, x.dims, axis, length) as number[];
    const [inverse, parts] = [isInverse(node), x.dims[x.dims.length - 1]];
    if (parts !== 1 && parts !== 2)
      throw new LowbitError("model/shape", `the last axis of a signal is 1 (real) or 2 (complex), not ${parts}`, {
        at: placeOf(node),
      });
    const mirrored = inverse && isOneSided(node);
    const signal = mirrored ? mirror(toNumbers(x), x.dims, axis, length) : { values: toNumbers(x), dims: x.dims };
    const transform = transformer({ length, bins: dims[axis], inverse });
    const [from, to] = [stridesOf(signal.dims)[axis], stridesOf(dims)[axis]];
    const y = allocateChecked("float64", dims) as Float64Array;
    const rows = sizeOf(dims) / (dims[axis] * dims[dims.length - 1]);
    const inner = sizeOf(dims.slice(axis + 1, -1));
    const [inParts, outParts] = [signal.dims[signal.dims.length - 1], dims[dims.length - 1]];
    for (let row = 0; row < rows; row++) {
      const [outer, i] = [Math.floor(row / inner), row % inner];
      transform(
        signal.values,
        { first: outer * from * signal.dims[axis] + i * inParts, step: from, count: signal.dims[axis], parts: inParts },
        y,
        { first: outer * to * dims[axis] + i * outParts, step: to, parts: outParts },
      );
    }
    return [fromNumbers(x.type, dims, y)];
  },
};

function isInverse(node: Node): boolean {
  return intAttribute(node, "inverse", 0) !== 0;
}

function isOneSided(node: Node): boolean {
  return intAttribute(node, "onesided", 0) !== 0;
}

function axisOf(node: Node, opset: number, inputs: readonly (Known | undefined)[], rank: number): number | undefined {
  const given = opset < 20 ? intAttribute(node, "axis", 1) : inputs[2] === undefined ? -2 : integersOf(inputs[2])?.[0];
  return given === undefined ? undefined : normalizeAxis(node, given, rank);
}

function lengthOf(node: Node, inputs: readonly (Known | undefined)[], size: Dim): Dim {
  if (inputs[1] !== undefined) return integersOf(inputs[1])?.[0] ?? null;
  if (!(isInverse(node) && isOneSided(node))) return size;
  return typeof size === "number" ? 2 * (size - 1) : null;
}

function targetDims(node: Node, dims: readonly Dim[], axis: number, length: Dim): readonly Dim[] {
  const half = isOneSided(node) && !isInverse(node);
  const bins = half ? (typeof length === "number" ? Math.floor(length / 2) + 1 : null) : length;
  const parts = isOneSided(node) && isInverse(node) ? 1 : 2;
  return dims.map((dim, a) => (a === dims.length - 1 ? parts : a === axis ? bins : dim));
}

/** A one-sided spectrum with its other side: bin N − k is the conjugate of bin k. */
function mirror(
  x: ArrayLike<number>,
  dims: readonly number[],
  axis: number,
  length: number,
): { values: Float64Array; dims: readonly number[] } {
  const step = stridesOf(dims)[axis];
  const whole = dims.map((dim, a) => (a === axis ? length : dim));
  const values = allocateChecked("float64", whole) as Float64Array;
  for (let i = 0; i < values.length; i++) {
    const k = Math.floor(i / step) % length;
    const flipped = k >= dims[axis];
    const at = (Math.floor(i / (step * length)) * dims[axis] + (flipped ? length - k : k)) * step + (i % step);
    values[i] = flipped && i % 2 === 1 ? -x[at] : x[at];
  }
  return { values, dims: whole };
}
