import { intAttribute } from "#model/attributes";
import type { Dim } from "#model/model";
import { integersOf, outputDims } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import { transformer } from "#model/ops/spectrum";
import { allocateChecked } from "#model/ops/strides";
import type { InferContext, Known, Op } from "#model/ops/types";
import { fromNumbers, toNumbers } from "#model/tensor";

/**
 * Short-time Fourier transform: a window slides over the signal, and what it shows is transformed. Inputs signal [N,
 * length, 1 or 2], step, optional window, optional frame length → [N, frames, bins, 2]; bins 0 … frame/2 unless
 * onesided 0.
 */
export const STFT: Op = {
  domain: "",
  name: "STFT",
  infer,
  cost: (_, inputs, [y]) => ({
    macs: 0,
    flops: 4 * countOf(y) * (integersOf(inputs[3])?.[0] ?? Number(inputs[2]?.shape?.[0] ?? 1)),
  }),
  forward: (context) => {
    const signal = operand(context, 0);
    const [batch, length, parts] = signal.dims;
    const [values, step] = [toNumbers(signal), toNumbers(operand(context, 1))[0]];
    const [dims] = outputDims(infer, context);
    const [, frames, bins] = dims;
    const window = context.inputs[2] && toNumbers(context.inputs[2]);
    const frame = context.inputs[3] === undefined ? (window?.length ?? length) : toNumbers(context.inputs[3])[0];
    const transform = transformer({ length: frame, bins, inverse: false });
    const y = allocateChecked("float64", dims) as Float64Array;
    const shown = new Float64Array(frame * parts);
    for (let at = 0; at < batch * frames; at++) {
      const first = (Math.floor(at / frames) * length + (at % frames) * step) * parts;
      for (let i = 0; i < shown.length; i++) shown[i] = values[first + i] * (window?.[Math.floor(i / parts)] ?? 1);
      transform(shown, { first: 0, step: parts, count: frame, parts }, y, { first: at * bins * 2, step: 2, parts: 2 });
    }
    return [fromNumbers(signal.type, dims, y)];
  },
};

function infer({ node, inputs: [signal, step, window, frameLength] }: InferContext): Known[] {
  const length = signal?.shape?.[1] ?? null;
  const stride = integersOf(step)?.[0];
  const frame: Dim =
    frameLength !== undefined ? (integersOf(frameLength)?.[0] ?? null) : window ? (window.shape?.[0] ?? null) : length;
  const framed = typeof length === "number" && typeof frame === "number" && stride !== undefined;
  const frames = framed ? Math.floor((length - frame) / stride) + 1 : null;
  const onesided = intAttribute(node, "onesided", 1) !== 0;
  const bins = onesided ? (typeof frame === "number" ? Math.floor(frame / 2) + 1 : null) : frame;
  return [{ element: signal?.element, shape: [signal?.shape?.[0] ?? null, frames, bins, 2] }];
}
