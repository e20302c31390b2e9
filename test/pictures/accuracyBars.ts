import { accuracyBars } from "#report/charts/accuracyBars";
import { fixtureReport } from "../report/fixtureReport";
import { hostileNames } from "./hostile";

const quality = fixtureReport.quality!;

export const thousandSamples = () => accuracyBars(quality);
export const phone = () => accuracyBars(quality, { width: 360 });
export const fewSamples = () =>
  accuracyBars({ ...quality, samples: 24, float: 17 / 24, quantized: 15 / 24, drop: 2 / 24, agreement: 20 / 24 });
export const randomInputs = () =>
  accuracyBars({
    ...quality,
    metric: "agreement",
    data: "random",
    samples: 64,
    float: null,
    quantized: 0.97,
    drop: null,
  });
export const collapsed = () => accuracyBars({ ...quality, quantized: 0.001, drop: 0.717, agreement: 0.002 });
export const negativeLogLikelihood = () =>
  accuracyBars({
    ...quality,
    metric: "nll",
    data: "wikitext-fixture",
    samples: 128,
    float: 3.312,
    quantized: 3.408,
    drop: 0.096,
  });
export const exactOutputs = () =>
  accuracyBars({
    ...quality,
    metric: "sqnr",
    float: null,
    quantized: Number.POSITIVE_INFINITY,
    drop: null,
    agreement: null,
  });
export const hostileData = () => accuracyBars({ ...quality, data: hostileNames[0], metric: hostileNames[1] });
