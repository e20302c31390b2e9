import { intAttribute } from "#model/attributes";
import { countOf, operand } from "#model/ops/operand";
import { forEachScaleRun, scaleLayout } from "#model/ops/quantization";
import type { Op } from "#model/ops/types";
import { elementTypeOf, fromNumbers, toNumbers } from "#model/tensor";

/**
 * y = (x − zero) · scale, in the scale's type or `output_dtype`. Inputs x, scale, optional zero point; scales cover x
 * as in QuantizeLinear. com.microsoft's twin is the same operator.
 */
function dequantizeLinear(domain: string): Op {
  return {
    domain,
    name: "DequantizeLinear",
    infer: ({ node, inputs: [x, scale] }) => [
      { element: elementTypeOf(intAttribute(node, "output_dtype", 0)) ?? scale?.element, shape: x?.shape },
    ],
    cost: (_, inputs) => ({ macs: 0, flops: 2 * countOf(inputs[0]) }),
    forward: (context) => {
      const { node } = context;
      const [x, scale, zero] = [operand(context, 0), operand(context, 1), context.inputs[2]];
      const [codes, scales, zeros] = [toNumbers(x), toNumbers(scale), zero && toNumbers(zero)];
      const y = new Float64Array(codes.length);
      forEachScaleRun(scaleLayout(node, x.dims, scale.dims), (first, count, at, step) => {
        for (let i = 0, s = at; i < count; i++, s += step) {
          const difference = codes[first + i] - (zeros === undefined ? 0 : zeros[s]);
          // an int32 code may need more than float32's 24 bits: it is cast before it is multiplied
          y[first + i] = Math.fround(difference) * scales[s];
        }
      });
      const type = elementTypeOf(intAttribute(node, "output_dtype", 0)) ?? scale.type;
      return [fromNumbers(type, x.dims, y)];
    },
  };
}

export const DequantizeLinear = dequantizeLinear("");
export const MicrosoftDequantizeLinear = dequantizeLinear("com.microsoft");
