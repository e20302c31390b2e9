/** Which layers lose the most, and what their causes are called in plain words. */
import { formatLoss } from "#report/metric";
import type { LayerReport, QualityReport } from "#report/types";

/** Noise of a hundredth of the signal's power; below it a layer deserves a look. */
export const audibleDb = 20;

/**
 * Layers worth a look, worst first: by the accuracy that comes back when the layer alone is float, where that was
 * measured (`drop` is the whole model's), else by SQNR. A layer whose SQNR is NaN put out something that is no
 * number, and comes first. Layers kept float only pass on the error of those before them, and are named only when the
 * report states a cause.
 */
export function worstLayers(layers: readonly LayerReport[], drop: number | null = null): LayerReport[] {
  const suspect = (layer: LayerReport) =>
    layer.cause !== undefined ||
    (!isKeptFloat(layer) && (recovered(layer, drop) > 0 || (layer.sqnrDb !== null && !(layer.sqnrDb >= audibleDb))));
  return layers
    .filter(suspect)
    .sort((a, b) => recovered(b, drop) - recovered(a, drop) || compare(signal(a), signal(b)));
}

/** How much of the model's drop goes away when this layer alone is float; 0 where that was not measured. */
export function recovered({ dropIfFloat }: LayerReport, drop: number | null): number {
  return dropIfFloat === undefined || drop === null ? 0 : Math.max(0, drop - dropIfFloat);
}

/** Whether the layer has weights that were left as they were. */
export function isKeptFloat(layer: LayerReport): boolean {
  return /^float(32|64)?$/.test(layer.weights);
}

/** What the layer costs the model, in words; "" where that was not measured or is nothing. → "costs 0.6 points" */
export function costInWords(layer: LayerReport, quality: QualityReport | null): string {
  const cost = recovered(layer, quality?.drop ?? null);
  return cost > 0 && quality !== null ? `costs ${formatLoss(quality, cost)}` : "";
}

/** A cause of `LayerReport` in words; a cause without words here is shown as it is. */
export function causeInWords(cause: string): string {
  return Object.hasOwn(causes, cause) ? causes[cause] : cause;
}

const causes: Readonly<Record<string, string>> = {
  "outlier-range": "a few outliers stretch the range",
  "per-tensor-spread": "channels of very different ranges share one scale",
  saturation: "values are clipped at the ends of the range",
  unquantizable: "no grid of this many bits fits the values",
  "narrow-bits": "so few bits are too coarse for this layer",
  "hard-output": "it gives the answer itself, where every step of the grid is seen",
  amplified: "the error that arrives comes out larger",
  inherited: "the error comes with its inputs",
  "non-finite": "it puts out NaN or infinities",
};

function signal({ sqnrDb }: LayerReport): number {
  return sqnrDb === null ? Number.POSITIVE_INFINITY : Number.isNaN(sqnrDb) ? Number.NEGATIVE_INFINITY : sqnrDb;
}

/** Infinities are equal to themselves, which their difference (NaN) would not say. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
