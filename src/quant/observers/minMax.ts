import type { Observer } from "#quant/observers/types";

/** The extremes seen: nothing of the calibration data is clipped, and one outlier sets the step for all. */
export const minMax: Observer = {
  name: "minmax",
  needsHistogram: false,
  range: ({ min, max }) => ({ low: min, high: max }),
};
