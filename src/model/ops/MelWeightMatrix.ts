import { intAttribute } from "#model/attributes";
import { integersOf } from "#model/ops/known";
import { countOf, operand } from "#model/ops/operand";
import { allocateChecked } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { elementTypeOf, fromNumbers, toNumbers } from "#model/tensor";

/**
 * Triangular filters, evenly spaced in mel = 2595·log₁₀(1 + f/700), that gather a spectrum's bins. Inputs number of mel
 * bins, DFT length, sample rate, lowest and highest frequency in Hz → [DFT length/2 + 1, mel bins].
 */
export const MelWeightMatrix: Op = {
  domain: "",
  name: "MelWeightMatrix",
  infer: ({ node, inputs: [bins, length] }) => {
    const n = integersOf(length)?.[0];
    const rows = n === undefined ? null : Math.floor(n / 2) + 1;
    const element = elementTypeOf(intAttribute(node, "output_datatype", 1));
    return [{ element, shape: [rows, integersOf(bins)?.[0] ?? null] }];
  },
  cost: (_, __, [y]) => ({ macs: 0, flops: 2 * countOf(y) }),
  forward: (context) => {
    const [bins, length, rate, lowest, highest] = [0, 1, 2, 3, 4].map((i) => toNumbers(operand(context, i))[0]);
    const mel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
    const [low, step] = [mel(lowest), (mel(highest) - mel(lowest)) / (bins + 2)];
    // edge i, as a bin of the spectrum
    const edge = (i: number): number => Math.floor(((length + 1) * 700 * (10 ** ((low + i * step) / 2595) - 1)) / rate);
    const dims = [Math.floor(length / 2) + 1, bins];
    const y = allocateChecked("float64", dims) as Float64Array;
    for (let m = 0; m < bins; m++) {
      const [left, centre, right] = [edge(m), edge(m + 1), edge(m + 2)];
      for (let row = left; row <= centre; row++)
        y[row * bins + m] = centre === left ? 1 : (row - left) / (centre - left);
      if (right > centre)
        for (let row = centre; row < right; row++) y[row * bins + m] = (right - row) / (right - centre);
    }
    return [fromNumbers(elementTypeOf(intAttribute(context.node, "output_datatype", 1)) ?? "float32", dims, y)];
  },
};
