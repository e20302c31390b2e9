import { LowbitError } from "#base/errors";
import { floatAttribute, intAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { countOf, operand, placeOf } from "#model/ops/operand";
import type { Known, Op } from "#model/ops/types";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";

/**
 * y = (x − mean)/√(variance + ε) · scale + bias, per channel. Inputs X [N, C, …], scale, bias, mean, variance. While
 * training the mean and variance are the batch's own, and the running ones come out updated: running·momentum +
 * batch·(1 − momentum). Training is `training_mode` since operator set 14; before, it is having more than one output.
 * Old `spatial` 0 normalizes every [C, …] position by itself: scale then has that many elements.
 */
export const BatchNormalization: Op = {
  domain: "",
  name: "BatchNormalization",
  infer: ({ node, inputs: [x, , , mean, variance] }) => [
    { element: x?.element, shape: x?.shape },
    ...node.outputs.slice(1).map((_, i): Known => {
      const source = i % 2 === 0 ? mean : variance;
      return { element: source?.element, shape: source?.shape };
    }),
  ],
  cost: (_, [x]) => ({ macs: 0, flops: 2 * countOf(x) }),
  forward: (context) => {
    const { node, opset } = context;
    const [x, scaleInput, biasInput, meanInput, varianceInput] = [0, 1, 2, 3, 4].map((i) => operand(context, i));
    const [values, scale, bias] = [x, scaleInput, biasInput].map(toNumbers);
    const training = opset >= 14 ? intAttribute(node, "training_mode", 0) !== 0 : node.outputs.length > 1;
    const plan = layoutOf(node, x, scale.length);
    const { mean, variance } = training
      ? batchMoments(values, plan)
      : { mean: toNumbers(meanInput), variance: toNumbers(varianceInput) };
    const epsilon = floatAttribute(node, "epsilon", 1e-5);
    const y = new Float64Array(values.length);
    for (let at = 0, channel = 0; at < y.length; channel = (channel + 1) % plan.channels) {
      const factor = scale[channel] / Math.sqrt(variance[channel] + epsilon);
      for (const end = at + plan.inner; at < end; at++) y[at] = (values[at] - mean[channel]) * factor + bias[channel];
    }
    const outputs = [fromNumbers(x.type, x.dims, y)];
    if (!training) return outputs;
    const momentum = floatAttribute(node, "momentum", 0.9);
    const running = (input: Tensor, batch: ArrayLike<number>): Tensor => {
      const updated = Float64Array.from(toNumbers(input), (old, i) => old * momentum + batch[i] * (1 - momentum));
      return fromNumbers(input.type, input.dims, updated);
    };
    outputs.push(running(meanInput, mean), running(varianceInput, variance));
    if (opset >= 14) return outputs;
    return [...outputs, fromNumbers(x.type, meanInput.dims, mean), fromNumbers(x.type, varianceInput.dims, variance)];
  },
};

interface Layout {
  readonly batch: number;
  readonly channels: number;
  readonly inner: number;
}

function layoutOf(node: Node, x: Tensor, channels: number): Layout {
  const batch = x.dims[0];
  const inner = x.data.length === 0 ? 0 : x.data.length / (batch * channels);
  if (Number.isInteger(inner)) return { batch, channels, inner };
  throw new LowbitError("model/shape", `BatchNormalization of [${x.dims.join(", ")}] with ${channels} scales`, {
    at: placeOf(node),
  });
}

/** Mean and population variance of each channel over the batch and its plane. */
function batchMoments(
  x: ArrayLike<number>,
  { batch, channels, inner }: Layout,
): { mean: Float64Array; variance: Float64Array } {
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)];
  const count = batch * inner;
  for (let channel = 0; channel < channels; channel++) {
    let [sum, squares] = [0, 0];
    for (let n = 0; n < batch; n++) {
      const from = (n * channels + channel) * inner;
      for (let i = from; i < from + inner; i++) sum += x[i];
    }
    mean[channel] = sum / count;
    for (let n = 0; n < batch; n++) {
      const from = (n * channels + channel) * inner;
      for (let i = from; i < from + inner; i++) squares += (x[i] - mean[channel]) ** 2;
    }
    variance[channel] = squares / count;
  }
  return { mean, variance };
}
