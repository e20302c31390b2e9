/** What the QLinear operators share: codes become numbers, something is computed, the result becomes codes again. */
import { mapNumbers } from "#model/ops/mapNumbers";
import { operand } from "#model/ops/operand";
import { encoderOf, single } from "#model/ops/quantization";
import { allocateChecked } from "#model/ops/strides";
import type { ForwardContext } from "#model/ops/types";
import { type Tensor, toNumbers } from "#model/tensor";

/** (code − zero)·scale of the input at `index`, whose scale and optional zero point follow it. */
export function dequantized(context: ForwardContext, index: number): Float64Array {
  const scale = single(operand(context, index + 1));
  const zero = context.inputs[index + 2];
  const z = zero === undefined ? 0 : single(zero);
  return mapNumbers(toNumbers(operand(context, index)), (code) => (code - z) * scale);
}

/**
 * Numbers as codes of `type`, by the scale at `index` and the optional zero point behind it. The quotient is a float32.
 */
export function requantized(
  context: ForwardContext,
  index: number,
  type: Tensor["type"],
  dims: readonly number[],
  values: Float64Array,
): Tensor {
  const scale = single(operand(context, index));
  const zero = context.inputs[index + 1];
  const z = zero === undefined ? 0 : single(zero);
  const encode = encoderOf(type);
  const codes = allocateChecked(type, dims) as Uint8Array;
  for (let i = 0; i < codes.length; i++) codes[i] = encode(Math.fround(Math.fround(values[i]) / scale), z);
  return { type, dims, data: codes };
}
