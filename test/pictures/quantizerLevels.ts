import { quantizerLevels } from "#report/charts/quantizerLevels";
import type { QuantizerComparison } from "#report/types";
import { gridLevels } from "../report/fixtureReport";
import { hostileNames } from "./hostile";

type Drawn = NonNullable<QuantizerComparison["tensor"]>;

const histogram = {
  tensor: "layer3.0.conv2.weight",
  low: -0.12,
  width: 0.24 / 101,
  counts: Array.from({ length: 101 }, (_, i) => Math.floor(900 / (1 + ((i - 50) / 12) ** 4))),
  levels: [],
  scheme: "float32",
};
const quantizers: Drawn["quantizers"] = [
  { scheme: "binary/channel", bitsPerWeight: 1.08, sqnrDb: 3.9, levels: [-0.021, 0.021] },
  { scheme: "ternary", bitsPerWeight: 2, sqnrDb: 6.7, levels: [-0.04, 0, 0.04] },
  {
    scheme: "log2:4",
    bitsPerWeight: 4,
    sqnrDb: 14.3,
    levels: [-0.1, -0.05, -0.025, -0.0125, 0, 0.0125, 0.025, 0.05, 0.1],
  },
  { scheme: "int4", bitsPerWeight: 4, sqnrDb: 15.7, levels: gridLevels(7, 0.1) },
  { scheme: "int8", bitsPerWeight: 8, sqnrDb: 37.4, levels: gridLevels(127, 0.1) },
];

export const fiveSchemes = () => quantizerLevels({ histogram, quantizers });
export const phone = () => quantizerLevels({ histogram, quantizers }, { width: 360 });
export const hundredSchemes = () =>
  quantizerLevels({
    histogram,
    quantizers: Array.from({ length: 100 }, (_, i) => ({
      scheme: `int${i}/group:32`,
      bitsPerWeight: i / 10,
      sqnrDb: i / 3,
      levels: gridLevels(60 + i, 0.12),
    })),
  });
export const empty = () => quantizerLevels({ histogram: { ...histogram, counts: [] }, quantizers });
export const constant = () =>
  quantizerLevels({ histogram: { ...histogram, low: 0, width: 1, counts: [640] }, quantizers });
export const hostileNamed = () =>
  quantizerLevels({
    histogram: { ...histogram, tensor: hostileNames[0] },
    quantizers: hostileNames.map((scheme) => ({ ...quantizers[0], scheme })),
  });
