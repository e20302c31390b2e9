import { intAttribute } from "#model/attributes";
import { axisAttribute } from "#model/ops/axes";
import { elementsOf } from "#model/ops/elementwise";
import { inputOf } from "#model/ops/known";
import { operand } from "#model/ops/operand";
import { offsetsOf, ramp, stridesOf, take } from "#model/ops/strides";
import type { Known, Op } from "#model/ops/types";
import { int64, sizeOf, type Tensor } from "#model/tensor";

/**
 * The different slices along `axis` (of the flattened input without one), sorted or in order of appearance. Outputs:
 * the slices, the index of each one's first appearance, for every slice of the input the one it equals, and how often
 * each appears.
 */
export const Unique: Op = {
  domain: "",
  name: "Unique",
  infer: (context) => {
    const { element, shape } = inputOf(context, 0);
    const indices: Known = { element: "int64", shape: [null] };
    const axis = context.node.attributes.has("axis") ? axisAttribute(context.node, 0, shape?.length ?? 1) : undefined;
    const unique = axis === undefined ? [null] : shape?.map((dim, a) => (a === axis ? null : dim));
    const inverse: Known = { element: "int64", shape: [axis === undefined ? null : (shape?.[axis] ?? null)] };
    return [{ element, shape: unique }, indices, inverse, indices].slice(0, context.node.outputs.length);
  },
  forward: (context) => {
    const { node } = context;
    const given = operand(context, 0);
    const flat = !node.attributes.has("axis");
    const x: Tensor = flat ? { ...given, dims: [sizeOf(given.dims)] } : given;
    const axis = flat ? 0 : axisAttribute(node, 0, x.dims.length);
    const strides = stridesOf(x.dims);
    const inSlice = offsetsOf(x.dims.map((dim, a) => (a === axis ? [0] : ramp(dim, strides[a]))));
    const values = elementsOf(x) as ArrayLike<number>; // compared only
    const compare = (i: number, j: number): number => {
      for (const offset of inSlice) {
        const [a, b] = [values[offset + i * strides[axis]], values[offset + j * strides[axis]]];
        if (a !== b) return a < b ? -1 : 1;
      }
      return 0;
    };
    const order = ramp(x.dims[axis], 1).sort((i, j) => compare(i, j) || i - j);
    // groups of equal slices, each in order of appearance
    const groups: number[][] = [];
    for (const i of order) {
      const group = groups[groups.length - 1];
      if (group !== undefined && compare(group[0], i) === 0) group.push(i);
      else groups.push([i]);
    }
    if (intAttribute(node, "sorted", 1) === 0) groups.sort((a, b) => a[0] - b[0]);
    const inverse = order.map(() => 0);
    for (const [rank, group] of groups.entries()) for (const i of group) inverse[i] = rank;
    const firsts = groups.map(([first]) => first);
    const dims = x.dims.map((dim, a) => (a === axis ? groups.length : dim));
    const terms = dims.map((dim, a) => (a === axis ? firsts.map((i) => i * strides[a]) : ramp(dim, strides[a])));
    const counts = groups.map((group) => group.length);
    return [
      take(x, dims, offsetsOf(terms)),
      int64([groups.length], firsts),
      int64([inverse.length], inverse),
      int64([groups.length], counts),
    ].slice(0, node.outputs.length);
  },
};
