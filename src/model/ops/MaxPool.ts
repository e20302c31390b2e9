import { intAttribute } from "#model/attributes";
import { operand } from "#model/ops/operand";
import { type Pooling, poolingCost, poolingOf, poolingShape } from "#model/ops/pooling";
import { stridesOf } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { windowRuns } from "#model/ops/window";
import { fromNumbers, sizeOf, tensor, toNumbers } from "#model/tensor";

/**
 * The largest element under each window; padding does not count. The optional second output gives its flat position in
 * the whole input: the first of equals; storage_order 1 counts the spatial axes of a plane column-major.
 */
export const MaxPool: Op = {
  domain: "",
  name: "MaxPool",
  infer: ({ node, inputs: [x] }) => {
    const shape = poolingShape(node, x);
    return [{ element: x?.element, shape }, ...(node.outputs.length > 1 ? [{ element: "int64", shape } as const] : [])];
  },
  cost: (node, _, [y]) => poolingCost(node, y, 1, 0),
  forward: (context) => {
    const { node } = context;
    const x = operand(context, 0);
    const pooling = poolingOf(node, x.dims);
    const { best, where } = maxima(pooling, toNumbers(x));
    const y = fromNumbers(x.type, pooling.dims, best);
    if (node.outputs.length < 2) return [y];
    const { input } = pooling.window;
    const place = intAttribute(node, "storage_order", 0) === 0 ? (at: number) => at : columnMajor(input);
    const size = sizeOf(input);
    const positions = Array.from(where, (at, i) => {
      const plane = Math.floor(i / sizeOf(pooling.window.output)) * size;
      return BigInt(plane + place(at));
    });
    return [y, tensor("int64", pooling.dims, BigInt64Array.from(positions))];
  },
};

/** Each window's largest element, and where in its plane it is. */
function maxima(
  { planes, window }: Pooling,
  x: Float32Array | Float64Array,
): { best: Float64Array; where: Int32Array } {
  const runs = windowRuns(window);
  const step = window.strides[window.strides.length - 1];
  const [xPlane, yPlane] = [sizeOf(window.input), sizeOf(window.output)];
  const best = new Float64Array(planes * yPlane).fill(Number.NEGATIVE_INFINITY);
  const where = new Int32Array(planes * yPlane).fill(-1);
  for (let plane = 0; plane < planes; plane++) {
    for (let r = 0; r < runs.length; r += 4) {
      const to = plane * yPlane + runs[r + 1];
      for (let i = 0; i < runs[r + 3]; i++) {
        const at = runs[r + 2] + i * step;
        const value = x[plane * xPlane + at];
        if (value > best[to + i] || where[to + i] < 0) {
          best[to + i] = value;
          where[to + i] = at;
        }
      }
    }
  }
  return { best, where };
}

/** Row-major position → column-major position in a plane. */
function columnMajor(dims: readonly number[]): (at: number) => number {
  const strides = stridesOf(dims);
  return (at) => {
    let [position, scale] = [0, 1];
    for (let axis = 0; axis < dims.length; axis++) {
      position += (Math.floor(at / strides[axis]) % dims[axis]) * scale;
      scale *= dims[axis];
    }
    return position;
  };
}
