import { intAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { countOf, operand } from "#model/ops/operand";
import { encoderOf, forEachScaleRun, precisionOf, scaleLayout } from "#model/ops/quantization";
import type { Known, Op } from "#model/ops/types";
import { allocate, type ElementType, elementTypeOf, tensor, toNumbers } from "#model/tensor";

/**
 * y = saturate(roundHalfEven(x / scale) + zero): rounding comes before the zero point. Inputs x, scale, optional zero
 * point (of the output's type); one scale, one per index of `axis`, or one per block. The quotient is rounded to the
 * precision of the scale's type, or `precision`. Small floats are cast instead of rounded. com.microsoft's twin is the
 * same operator.
 */
function quantizeLinear(domain: string): Op {
  return {
    domain,
    name: "QuantizeLinear",
    infer: ({ node, inputs: [x, , zero] }) => [{ element: outputType(node, zero), shape: x?.shape }],
    cost: (_, inputs) => ({ macs: 0, flops: 2 * countOf(inputs[0]) }),
    forward: (context) => {
      const { node } = context;
      const [x, scale, zero] = [operand(context, 0), operand(context, 1), context.inputs[2]];
      const type = outputType(node, zero && { element: zero.type, shape: zero.dims }) ?? "uint8";
      const stated = elementTypeOf(intAttribute(node, "precision", 0));
      // a power-of-two scale states no precision; the division by it is exact
      const round = precisionOf(stated ?? (scale.type === "float8e8m0" ? x.type : scale.type));
      const encode = encoderOf(type, intAttribute(node, "saturate", 1) !== 0);
      const [numbers, scales, zeros] = [toNumbers(x), toNumbers(scale), zero && toNumbers(zero)];
      const codes = allocate(type, numbers.length) as Uint8Array;
      forEachScaleRun(scaleLayout(node, x.dims, scale.dims), (first, count, at, step) => {
        for (let i = 0, s = at; i < count; i++, s += step) {
          codes[first + i] = encode(round(numbers[first + i] / scales[s]), zeros === undefined ? 0 : zeros[s]);
        }
      });
      return [tensor(type, x.dims, codes)];
    },
  };
}

function outputType(node: Node, zero: Known | undefined): ElementType | undefined {
  if (zero !== undefined) return zero.element;
  return elementTypeOf(intAttribute(node, "output_dtype", 0)) ?? "uint8";
}

export const QuantizeLinear = quantizeLinear("");
export const MicrosoftQuantizeLinear = quantizeLinear("com.microsoft");
