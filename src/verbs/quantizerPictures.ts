import { quantizerLevels } from "#report/charts/quantizerLevels";
import { rateDistortion } from "#report/charts/rateDistortion";
import type { ChartOptions } from "#report/charts/svg";
import type { QuantizerComparison } from "#report/types";

/** The pictures of a comparison as SVG files: `rateDistortion`, and of a single tensor `quantizerLevels`. */
export function quantizerPictures(comparison: QuantizerComparison, options: ChartOptions = {}): Record<string, string> {
  const { tensor } = comparison;
  const picture = rateDistortion(comparison, options);
  return tensor === undefined
    ? { rateDistortion: picture }
    : { rateDistortion: picture, quantizerLevels: quantizerLevels(tensor, options) };
}
