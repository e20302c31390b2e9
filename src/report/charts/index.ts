/**
 * The pictures of a report. The keys name them on the command line, in the studio's menu and in the gallery; each
 * takes what it needs from the report, and gives no figure where the report has nothing to show.
 */
import { accuracyBars, accuracyBarsTable } from "#report/charts/accuracyBars";
import { energyBars, energyBarsTable } from "#report/charts/energyBars";
import { latencyBars, latencyBarsTable } from "#report/charts/latencyBars";
import { quantizerLevels, quantizerLevelsTable } from "#report/charts/quantizerLevels";
import { rateDistortion, rateDistortionTable } from "#report/charts/rateDistortion";
import { sizeByLayer, sizeByLayerTable } from "#report/charts/sizeByLayer";
import { sqnrByLayer, sqnrByLayerTable } from "#report/charts/sqnrByLayer";
import type { ChartOptions } from "#report/charts/svg";
import { weightHistogram, weightHistogramTable } from "#report/charts/weightHistogram";
import type { Table } from "#report/table";
import type { Report } from "#report/types";

/** A picture, and the same as a table for those who want the figures or do not see pictures. */
export interface Figure {
  readonly svg: string;
  readonly table: Table;
}

export const charts = {
  accuracyBars: ({ quality }, options) =>
    quality === null ? [] : [{ svg: accuracyBars(quality, options), table: accuracyBarsTable(quality) }],
  sizeByLayer: ({ size }, options) =>
    size.ledger.length === 0 ? [] : [{ svg: sizeByLayer(size.ledger, options), table: sizeByLayerTable(size.ledger) }],
  sqnrByLayer: ({ layers, quality }, options) =>
    layers.every((layer) => layer.sqnrDb === null)
      ? []
      : [{ svg: sqnrByLayer(layers, { ...options, drop: quality?.drop ?? null }), table: sqnrByLayerTable(layers) }],
  latencyBars: ({ speed, layers }, options) =>
    speed === null ? [] : [{ svg: latencyBars(speed, layers, options), table: latencyBarsTable(speed, layers) }],
  energyBars: ({ energy }, options) =>
    energy === null ? [] : [{ svg: energyBars(energy, options), table: energyBarsTable(energy) }],
  weightHistogram: ({ histograms = [] }, options) =>
    histograms.map((each) => ({ svg: weightHistogram(each, options), table: weightHistogramTable(each) })),
  rateDistortion: ({ quantizers }, options) =>
    quantizers === undefined
      ? []
      : [{ svg: rateDistortion(quantizers, options), table: rateDistortionTable(quantizers) }],
  quantizerLevels: ({ quantizers }, options) =>
    quantizers?.tensor === undefined
      ? []
      : [{ svg: quantizerLevels(quantizers.tensor, options), table: quantizerLevelsTable(quantizers.tensor) }],
} satisfies Record<string, (report: Report, options?: ChartOptions) => readonly Figure[]>;

export type ChartName = keyof typeof charts;
