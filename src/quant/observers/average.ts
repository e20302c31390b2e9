import type { Observer } from "#quant/observers/types";

/**
 * Means of the samples' minima and maxima (Distiller's AVG clipping; the fixed point of an exponential moving average, without
 * its dependence on the samples' order, which would forbid merging).
 */
export const average: Observer = {
  name: "average",
  needsHistogram: false,
  range: ({ samples, sumOfMin, sumOfMax }) => ({ low: sumOfMin / samples, high: sumOfMax / samples }),
};
