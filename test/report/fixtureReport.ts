/**
 * FIXTURE: a made-up report with the proportions of an int8 MobileNetV2, for the tests of text, HTML and pictures.
 * None of these numbers was measured.
 */
import { createRng } from "#base/rng";
import type { HistogramReport, LayerReport, LedgerRow, Report } from "#report/types";

const rng = createRng("fixture report");

/** A bell around zero: the sum of six uniform numbers, standard deviation `sigma`. */
function bell(sigma: number): number {
  let sum = -3;
  for (let i = 0; i < 6; i++) sum += rng.uniform();
  return sum * sigma * Math.SQRT2;
}

interface Convolution {
  readonly name: string;
  readonly shape: readonly number[];
  readonly depthwise: boolean;
}

/** The convolutions of torchvision's MobileNetV2: expand (but in the first block), depthwise, project. */
const convolutions: readonly Convolution[] = (() => {
  const blocks = [
    [1, 16, 1],
    [6, 24, 2],
    [6, 32, 3],
    [6, 64, 4],
    [6, 96, 3],
    [6, 160, 3],
    [6, 320, 1],
  ];
  const found: Convolution[] = [{ name: "features.0.0", shape: [32, 3, 3, 3], depthwise: false }];
  let channels = 32;
  let index = 1;
  for (const [expand, out, repeats] of blocks) {
    for (let i = 0; i < repeats; i++, index++) {
      const wide = channels * expand;
      const at = `features.${index}.conv`;
      if (expand > 1) found.push({ name: `${at}.0.0`, shape: [wide, channels, 1, 1], depthwise: false });
      found.push({ name: `${at}.${expand > 1 ? "1.0" : "0.0"}`, shape: [wide, 1, 3, 3], depthwise: true });
      found.push({ name: `${at}.${expand > 1 ? 2 : 1}`, shape: [out, wide, 1, 1], depthwise: false });
      channels = out;
    }
  }
  found.push({ name: "features.18.0", shape: [1280, 320, 1, 1], depthwise: false });
  return found;
})();

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const kept = new Set(["features.1.conv.0.0", "features.2.conv.1.0"]);

const ledger: readonly LedgerRow[] = [
  ...[...convolutions, { name: "classifier.1", shape: [1000, 1280], depthwise: false }].flatMap(
    ({ name, shape }): LedgerRow[] => {
      const floatBytes = product(shape) * 4;
      const outputs = shape[0];
      const float = kept.has(name);
      const bytes = float ? floatBytes : product(shape) + outputs * 4;
      const entropyCodedBytes = float ? floatBytes : Math.ceil(product(shape) * 0.83) + outputs * 4;
      const each = 8 / product(shape);
      return [
        {
          tensor: `${name}.weight`,
          shape,
          scheme: float ? "float32" : "int8/channel",
          bytes,
          floatBytes,
          entropyCodedBytes,
          bitsPerWeight: { nominal: float ? 32 : 8, stored: bytes * each, entropyCoded: entropyCodedBytes * each },
        },
        {
          tensor: `${name}.bias`,
          shape: [outputs],
          scheme: float ? "float32" : "int32",
          bytes: outputs * 4,
          floatBytes: outputs * 4,
          entropyCodedBytes: outputs * 4,
        },
      ];
    },
  ),
  { tensor: "structure", shape: [], scheme: "structure", bytes: 60_411, floatBytes: 21_880, entropyCodedBytes: 60_411 },
];

const layers: readonly LayerReport[] = [
  ...convolutions.map(({ name, shape, depthwise }, i): LayerReport => {
    const float = kept.has(name);
    const base = 34 - 0.22 * i + 4 * (rng.uniform() - 0.5) - (depthwise ? 3 : 0);
    const ms = 0.04 + product(shape) * 4e-7 + (i < 8 ? 0.5 : 0.1) * rng.uniform();
    const layer: LayerReport = {
      name,
      op: "Conv",
      weights: float ? "float32" : "int8/channel",
      activations: float ? "float32" : "uint8/asymmetric",
      sqnrDb: Number(base.toFixed(2)),
      why: float ? "slower quantized than float on ort-web: 0.21 ms against 0.13 ms" : "recipe w8a8",
      macs: product(shape) * 196,
      ms: { float: ms, quantized: ms * (float ? 1 : depthwise ? 1.1 : 0.5 + 0.3 * rng.uniform()) },
    };
    if (name === "features.3.conv.1.0")
      return {
        ...layer,
        sqnrDb: 8.13,
        dropIfFloat: 0.003,
        cause: "per-tensor-spread",
        fix: "--weights int8/channel for this layer, or equalize first",
      };
    if (name === "features.14.conv.1.0")
      return {
        ...layer,
        sqnrDb: 12.4,
        dropIfFloat: 0.007,
        cause: "outlier-range",
        fix: "--activations uint8/percentile:99.99, or --keep features.14.conv.1.0",
      };
    if (name === "features.17.conv.1.0")
      return { ...layer, sqnrDb: 14.9, cause: "saturation", fix: "--activations uint8/mse" };
    return layer;
  }),
  {
    name: "classifier.1",
    op: "Gemm",
    weights: "int8/channel",
    activations: "uint8/asymmetric",
    sqnrDb: 22.7,
    why: "recipe w8a8",
    macs: 1_280_000,
    ms: { float: 0.31, quantized: 0.12 },
  },
];

/** A tensor of `count` bell-shaped values with a few outliers, counted into 201 bins, over the levels of `levels`. */
export function fixtureHistogram(
  tensor: string,
  scheme: string,
  levels: readonly number[],
  outliers: readonly number[],
  count = 20_000,
): HistogramReport {
  const values = [...Array.from({ length: count }, () => bell(0.06)), ...outliers];
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const width = (high - low) / 201;
  const counts = Array.from({ length: 201 }, () => 0);
  for (const value of values) counts[Math.min(200, Math.floor((value - low) / width))]++;
  return { tensor, low, width, counts, levels, scheme };
}

/** The levels of a symmetric integer grid with 2·half + 1 codes that ends at `end`. */
export function gridLevels(half: number, end: number): number[] {
  return Array.from({ length: 2 * half + 1 }, (_, i) => ((i - half) * end) / half);
}

const sum = (key: "bytes" | "floatBytes" | "entropyCodedBytes"): number =>
  ledger.reduce((total, row) => total + row[key], 0);

export const fixtureReport: Report = {
  version: 1,
  tool: "lowbit 0.1.0",
  input: {
    path: "models/mobilenetv2-fixture.onnx",
    sha256: "5f2c8d1e90ab73c4416fe0d2297b85aa3b1e6f70c9d84512a7e3bb06f9d1c2e4",
    format: "onnx",
  },
  output: {
    path: "mobilenetv2-fixture.int8.onnx",
    sha256: "b07e11d94c5a2f6388e1d97a40c2fb5e6a91d3370be842f5c1490d7e8a6b23f1",
    format: "onnx",
  },
  recipe: {
    name: "w8a8",
    weights: "int8/channel",
    activations: "uint8/asymmetric",
    methods: ["equalize", "bias-correction"],
  },
  seed: 7,
  target: "ort-web",
  calibration: { samples: 32, data: "imagenet-fixture" },
  size: {
    inputBytes: sum("floatBytes"),
    outputBytes: sum("bytes"),
    ratio: sum("floatBytes") / sum("bytes"),
    entropyCodedBytes: sum("entropyCodedBytes"),
    ledger,
  },
  quality: {
    metric: "top1",
    samples: 1000,
    data: "imagenet-fixture",
    float: 0.718,
    quantized: 0.709,
    drop: 0.009,
    agreement: 0.934,
    logitSqnrDb: 21.34,
  },
  speed: {
    label: "measured",
    runtime: "onnxruntime-web 1.30.0 wasm",
    threads: 1,
    floatMs: 38.62,
    quantizedMs: 27.18,
    speedup: 1.421,
    rounds: 15,
  },
  energy: {
    label: "modelled",
    model: "Horowitz 2014, 45 nm; DRAM 640 pJ per 32 bit",
    floatMilliJoule: 3.87,
    quantizedMilliJoule: 0.943,
    saving: 4.104,
  },
  memory: {
    label: "modelled",
    what: "weights + peak activations, batch 1",
    floatBytes: 20_412_160,
    quantizedBytes: 5_402_112,
  },
  layers,
  histograms: [
    fixtureHistogram("features.18.0.weight", "int8/channel", gridLevels(127, 0.29), []),
    fixtureHistogram("features.3.conv.1.0.weight", "int4/tensor", gridLevels(7, 0.61), [0.6, -0.58, 0.44, 0.71, 0.9]),
  ],
  diagnostics: [
    {
      code: "plan/slower-than-float",
      level: "info",
      message: "2 depthwise convolutions stay float: quantized they would run slower on ort-web",
      at: { node: "features.1.conv.0.0", op: "Conv" },
      hint: "--target ort-node quantizes them too",
    },
    {
      code: "calibrate/few-samples",
      level: "warning",
      message: "ranges were learned from 32 samples; percentile observers want 100 or more",
      hint: "--samples 128",
    },
  ],
  durationMs: 48_210,
};
