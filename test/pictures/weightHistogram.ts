import { weightHistogram } from "#report/charts/weightHistogram";
import { fixtureHistogram, fixtureReport, gridLevels } from "../report/fixtureReport";
import { hostileNames } from "./hostile";

const [int8, int4] = fixtureReport.histograms!;

export const int8Levels = () => weightHistogram(int8);
export const int4WithOutliers = () => weightHistogram(int4);
export const logarithmic = () => weightHistogram(int4, { log: true });
export const phone = () => weightHistogram(int4, { width: 360 });
export const binary = () =>
  weightHistogram(fixtureHistogram("conv1.weight", "binary/channel", [-0.048, 0.048], [], 5000));
export const codebook = () =>
  weightHistogram(
    fixtureHistogram("fc6.weight", "kmeans:8", [-0.13, -0.08, -0.045, -0.015, 0.015, 0.045, 0.08, 0.13], [], 5000),
  );
export const noLevels = () => weightHistogram({ ...int8, levels: [], scheme: "float16" });
export const empty = () =>
  weightHistogram({ tensor: "empty", low: 0, width: 0, counts: [], levels: [], scheme: "int8" });
export const constant = () =>
  weightHistogram({ tensor: "bias", low: 0, width: 1, counts: [640], levels: [0], scheme: "int8" });
export const manyBins = () =>
  weightHistogram({
    tensor: "embedding",
    low: -1,
    width: 1e-4,
    counts: Array.from({ length: 20_000 }, (_, i) => (i * 7919) % 97),
    levels: gridLevels(127, 1),
    scheme: "int8",
  });
export const hostileName = () => weightHistogram({ ...int4, tensor: hostileNames[9], scheme: hostileNames[0] });
