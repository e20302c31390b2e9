import { floatAttribute, intAttribute } from "#model/attributes";
import { countOf, operand } from "#model/ops/operand";
import type { Op } from "#model/ops/types";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * Local response normalization: y = x / (bias + alpha/size · Σ x²)^beta, the sum over the `size` channels around x's
 * own, ⌊(size − 1)/2⌋ before and ⌈(size − 1)/2⌉ after (AlexNet).
 */
export const LRN: Op = {
  domain: "",
  name: "LRN",
  infer: ({ inputs: [x] }) => [{ element: x?.element, shape: x?.shape }],
  cost: (node, [x]) => ({ macs: 0, flops: (intAttribute(node, "size", 1) + 5) * countOf(x) }),
  forward: (context) => {
    const { node } = context;
    const x = operand(context, 0);
    const [batch, channels, ...spatial] = x.dims;
    const [values, plane] = [toNumbers(x), sizeOf(spatial)];
    const size = intAttribute(node, "size", 1);
    const [bias, beta] = [floatAttribute(node, "bias", 1), floatAttribute(node, "beta", 0.75)];
    const alpha = floatAttribute(node, "alpha", 1e-4) / size;
    const y = new Float64Array(values.length);
    for (let n = 0; n < batch; n++) {
      for (let c = 0; c < channels; c++) {
        const first = Math.max(0, c - Math.floor((size - 1) / 2));
        const last = Math.min(channels - 1, c + Math.ceil((size - 1) / 2));
        for (let i = 0; i < plane; i++) {
          let squares = 0;
          for (let near = first; near <= last; near++) squares += values[(n * channels + near) * plane + i] ** 2;
          const at = (n * channels + c) * plane + i;
          y[at] = values[at] / (bias + alpha * squares) ** beta;
        }
      }
    }
    return [fromNumbers(x.type, x.dims, y)];
  },
};
