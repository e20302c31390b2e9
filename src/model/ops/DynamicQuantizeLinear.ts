import { roundHalfEven } from "#math/round";
import { mapNumbers } from "#model/ops/mapNumbers";
import { countOf, operand } from "#model/ops/operand";
import { encoderOf } from "#model/ops/quantization";
import type { Op } from "#model/ops/types";
import { float32, type Tensor, tensor, toNumbers } from "#model/tensor";

/**
 * Quantizes to uint8 by the range of this very tensor, widened to contain 0: scale = (max − min)/255,
 * zero = saturate(roundHalfEven(−min/scale)). Outputs y, scale, zero. A tensor of zeros has no range: its scale is 1
 * (the specification's formula would divide 0 by 0; ONNX Runtime answers 1 too).
 */
export const DynamicQuantizeLinear: Op = {
  domain: "",
  name: "DynamicQuantizeLinear",
  infer: ({ inputs: [x] }) => [
    { element: "uint8", shape: x?.shape },
    { element: "float32", shape: [] },
    { element: "uint8", shape: [] },
  ],
  // min, max, divide, round
  cost: (_, inputs) => ({ macs: 0, flops: 4 * countOf(inputs[0]) }),
  forward: (context) => {
    const { codes, scale, zero } = quantizeByRange(operand(context, 0));
    return [codes, float32([], [scale]), tensor("uint8", [], Uint8Array.of(zero))];
  },
};

/** The operator itself, for the operators that contain it. */
export function quantizeByRange(x: Tensor): { codes: Tensor; scale: number; zero: number } {
  const numbers = toNumbers(x);
  let low = 0;
  let high = 0;
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i] < low) low = numbers[i];
    if (numbers[i] > high) high = numbers[i];
  }
  const scale = Math.fround(Math.fround(high - low) / 255) || 1;
  const zero = Math.min(Math.max(roundHalfEven(Math.fround(-low / scale)), 0), 255);
  const encode = encoderOf("uint8");
  const codes = new Uint8Array(mapNumbers(numbers, (value) => encode(Math.fround(value / scale), zero)));
  return { codes: tensor("uint8", x.dims, codes), scale, zero };
}
