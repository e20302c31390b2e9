import { floatAttribute, floatsAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { knownTensor } from "#model/ops/known";
import { Resize } from "#model/ops/Resize";
import type { Op } from "#model/ops/types";
import { float32, type Tensor } from "#model/tensor";

/**
 * Resize's ancestor: it is Resize of operator set 10, and its scales come as width_scale and height_scale (version 1),
 * as an attribute (version 7), or as an input (version 9).
 */
export const Upsample: Op = {
  domain: "",
  name: "Upsample",
  infer: (context) => {
    const { node, inputs } = context;
    const stated = statedScales(node);
    return Resize.infer({ ...context, opset: 10, inputs: [inputs[0], stated ? knownTensor(stated) : inputs[1]] });
  },
  cost: Resize.cost,
  forward: (context) => {
    const { node, inputs } = context;
    return Resize.forward({ ...context, opset: 10, inputs: [inputs[0], statedScales(node) ?? inputs[1]] });
  },
};

/** Scales that are attributes. */
function statedScales(node: Node): Tensor | undefined {
  const scales = floatsAttribute(node, "scales");
  if (scales !== undefined) return float32([scales.length], scales);
  if (!node.attributes.has("width_scale")) return undefined;
  return float32([4], [1, 1, floatAttribute(node, "height_scale", 1), floatAttribute(node, "width_scale", 1)]);
}
