import { LowbitError } from "#base/errors";
import { contentOf, integersOf } from "#model/ops/known";
import { countOf, operand, placeOf } from "#model/ops/operand";
import { allocateChecked } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { slidingWindow, windowRuns } from "#model/ops/window";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * Adds overlapping blocks back into an image: what a convolution's window reads, put back where it was read. Inputs
 * [N, C · block, blocks], image shape, block shape → [N, C, …image].
 */
export const Col2Im: Op = {
  domain: "",
  name: "Col2Im",
  infer: ({ inputs: [x, image, block] }) => {
    const [size, dims] = [integersOf(block), contentOf(image)];
    const rows = x?.shape?.[1];
    const channels = size !== undefined && typeof rows === "number" ? rows / sizeOf(size) : null;
    return [{ element: x?.element, shape: dims && [x?.shape?.[0] ?? null, channels, ...dims] }];
  },
  cost: (_, [x]) => ({ macs: 0, flops: countOf(x) }),
  forward: (context) => {
    const x = operand(context, 0);
    const [image, block] = [[...toNumbers(operand(context, 1))], [...toNumbers(operand(context, 2))]];
    const window = slidingWindow(context.node, image, block);
    const [batch, rows, columns] = x.dims;
    const [taps, plane] = [sizeOf(block), sizeOf(image)];
    const planes = (batch * rows) / taps;
    if (!Number.isInteger(rows / taps) || columns !== sizeOf(window.output))
      throw new LowbitError(
        "model/shape",
        `[${x.dims.join(", ")}] holds no blocks [${block.join(", ")}] of [${image.join(", ")}]`,
        { at: placeOf(context.node) },
      );
    const [values, runs, step] = [toNumbers(x), windowRuns(window), window.strides.at(-1) ?? 1];
    const dims = [batch, rows / taps, ...image];
    const y = allocateChecked("float64", dims) as Float64Array;
    for (let p = 0; p < planes; p++) {
      for (let r = 0; r < runs.length; r += 4) {
        const from = (p * taps + runs[r]) * columns + runs[r + 1];
        const to = p * plane + runs[r + 2];
        for (let i = 0; i < runs[r + 3]; i++) y[to + i * step] += values[from + i];
      }
    }
    return [fromNumbers(x.type, dims, y)];
  },
};
