/** Window functions: sums of cosines that fade a frame's ends. Input size → [size]; periodic unless told otherwise. */
import { intAttribute } from "#model/attributes";
import { contentOf } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import { allocateChecked } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { elementTypeOf, fromNumbers, toNumbers } from "#model/tensor";

/** w[n] = Σ over k of coefficients[k]·cos(2πkn/N), with N = size, or size − 1 if symmetric. */
function windowFunction(name: string, coefficients: readonly number[]): Op {
  return {
    domain: "",
    name,
    infer: ({ node, inputs: [size] }) => [
      {
        element: elementTypeOf(intAttribute(node, "output_datatype", 1)),
        shape: [contentOf(size)?.[0] ?? null],
      },
    ],
    cost: (_, __, [y]) => ({ macs: 0, flops: 2 * coefficients.length * countOf(y) }),
    forward: (context) => {
      const { node } = context;
      const size = toNumbers(operand(context, 0))[0];
      const period = intAttribute(node, "periodic", 1) === 0 ? size - 1 : size;
      const values = allocateChecked("float64", [size]) as Float64Array;
      for (let n = 0; n < size; n++) {
        values[n] = coefficients.reduce((sum, a, k) => sum + a * Math.cos((2 * Math.PI * k * n) / period), 0);
      }
      return [fromNumbers(elementTypeOf(intAttribute(node, "output_datatype", 1)) ?? "float32", [size], values)];
    },
  };
}

export const HannWindow = windowFunction("HannWindow", [0.5, -0.5]);
export const HammingWindow = windowFunction("HammingWindow", [25 / 46, -21 / 46]);
export const BlackmanWindow = windowFunction("BlackmanWindow", [0.42, -0.5, 0.08]);
