import { LowbitError } from "#base/errors";
import { roundHalfEven } from "#math/round";
import { transposed } from "#model/ops/Gemm";
import { lstmCell } from "#model/ops/LSTM";
import { mapNumbers } from "#model/ops/mapNumbers";
import { countOf, operand, placeOf } from "#model/ops/operand";
import { type Numbers, recurrenceShapes, runRecurrence } from "#model/ops/recurrence";
import type { ForwardContext, Op } from "#model/ops/types";
import { toNumbers } from "#model/tensor";

/**
 * LSTM with 8-bit weights, its inputs and hidden states quantized to uint8 by their own ranges before each product.
 * Inputs as LSTM's, but W [d, inputs, 4·hidden] and R [d, hidden, 4·hidden] as codes; inputs 8 to 11 are their scales
 * and zero points, one or 4·hidden per direction. X has one range; each sample's hidden state has its own at every
 * step, where ONNX Runtime gives a batch one in common.
 */
export const DynamicQuantizeLSTM: Op = {
  domain: "com.microsoft",
  name: "DynamicQuantizeLSTM",
  infer: ({ node, inputs: [x, , r] }) => recurrenceShapes(node, lstmCell, x, r?.shape?.[1] ?? null),
  cost: (_, [x, w, r]) => {
    const [steps = 0, batch = 0] = (x?.shape ?? []) as readonly number[];
    return { macs: steps * batch * (countOf(w) + countOf(r)), flops: 4 * countOf(x) };
  },
  forward: (context) => {
    const [x, r] = [operand(context, 0), operand(context, 2)];
    const [, , , bias, lengths, h0, c0, peepholes] = context.inputs;
    const [directions, hidden] = r.dims;
    return runRecurrence(context.node, lstmCell, {
      x,
      w: decoded(context, 1, 8),
      r: decoded(context, 2, 10),
      hidden,
      directions,
      bias,
      lengths,
      h0,
      c0,
      peepholes,
      seen: roundedByRange,
    });
  },
};

/** Weights [d, rows, 4·hidden] as numbers [d, 4·hidden, rows]. */
function decoded(context: ForwardContext, index: number, scaleIndex: number): Float64Array {
  const codes = operand(context, index);
  const [directions, rows, columns] = codes.dims;
  const [values, scales, zeros] = [
    toNumbers(codes),
    toNumbers(operand(context, scaleIndex)),
    toNumbers(operand(context, scaleIndex + 1)),
  ];
  const perDirection = scales.length / directions;
  if (perDirection !== 1 && perDirection !== columns)
    throw new LowbitError("model/shape", `${scales.length} scales for [${codes.dims.join(", ")}]`, {
      at: placeOf(context.node),
    });
  const size = rows * columns;
  const out = new Float64Array(directions * size);
  for (let d = 0; d < directions; d++) {
    const numbers = Float64Array.from({ length: size }, (_, i) => {
      const s = d * perDirection + (perDirection === 1 ? 0 : i % columns);
      return (values[d * size + i] - zeros[s]) * scales[s];
    });
    out.set(transposed(numbers, rows, columns), d * size);
  }
  return out;
}

/** Each number replaced by what its uint8 code stands for. */
function roundedByRange(values: Numbers): Float64Array {
  let [low, high] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  const scale = Math.fround((high - low) / 255) || 1;
  const zero = roundHalfEven(-low / scale);
  return mapNumbers(values, (x) => {
    const code = Math.min(Math.max(roundHalfEven(Math.fround(x / scale)) + zero, 0), 255);
    return (code - zero) * scale;
  });
}
