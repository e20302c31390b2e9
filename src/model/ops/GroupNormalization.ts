/** y = (x − mean)/√(variance + ε) · scale + bias, with mean and variance of each sample's group of channels. */
import { LowbitError } from "#base/errors";
import { floatAttribute, intAttribute } from "#model/attributes";
import { moments } from "#model/ops/moments";
import { countOf, operand, placeOf } from "#model/ops/operand";
import type { ForwardContext, Op } from "#model/ops/types";
import { fromNumbers, sizeOf, type Tensor, toNumbers } from "#model/tensor";

function groupNormalization(name: string, groupsOf: (context: ForwardContext, channels: number) => number): Op {
  return {
    domain: "",
    name,
    infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape }],
    // mean, centre, square, sum, divide, scale, shift
    cost: (_, [x]) => ({ macs: 0, flops: 7 * countOf(x) }),
    forward: (context) => [normalizeGroups(context, groupsOf(context, operand(context, 0).dims[1]))],
  };
}

function normalizeGroups(context: ForwardContext, groups: number): Tensor {
  const x = operand(context, 0);
  const [batch, channels, ...spatial] = x.dims;
  const [values, scale, bias] = [toNumbers(x), toNumbers(operand(context, 1)), toNumbers(operand(context, 2))];
  if (channels % groups !== 0 || (scale.length !== channels && scale.length !== groups))
    throw new LowbitError("model/shape", `${channels} channels in ${groups} groups with ${scale.length} scales`, {
      at: placeOf(context.node),
    });
  const epsilon = floatAttribute(context.node, "epsilon", 1e-5);
  const plane = sizeOf(spatial);
  const size = (channels / groups) * plane;
  // operator set 18 has one scale per group, all others one per channel
  const perScale = (channels / scale.length) * plane;
  const y = new Float64Array(values.length);
  for (let g = 0; g < batch * groups; g++) {
    const { mean, variance } = moments(values, g * size, (g + 1) * size);
    const factor = 1 / Math.sqrt(variance + epsilon);
    for (let i = g * size; i < (g + 1) * size; i++) {
      const s = Math.floor(i / perScale) % scale.length;
      y[i] = (values[i] - mean) * factor * scale[s] + bias[s];
    }
  }
  return fromNumbers(x.type, x.dims, y);
}

/** Every channel is a group of its own. */
export const InstanceNormalization = groupNormalization("InstanceNormalization", (_, channels) => channels);

export const GroupNormalization = groupNormalization("GroupNormalization", ({ node }) =>
  intAttribute(node, "num_groups", 1),
);
