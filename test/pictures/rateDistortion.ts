import { rateDistortion } from "#report/charts/rateDistortion";
import type { QuantizerComparison, QuantizerRow } from "#report/types";
import { hostileNames } from "./hostile";

function row(scheme: string, decoding: string, bits: number | null, sqnrDb: number | null, skipped = 0): QuantizerRow {
  const quantizer = scheme.replace(/[:/].*/, "");
  return {
    scheme,
    quantizer,
    decoding,
    nominalBits: 4,
    bitsPerWeight: bits,
    sqnrDb,
    weights: 1e6,
    skipped,
    seconds: 1,
  };
}

const rows = [
  row("binary/channel", "lookup", 1.08, 3.9),
  row("ternary/channel", "lookup", 2.08, 6.7),
  row("vq:4x256", "codebook", 2.1, 9.7),
  row("int4/group:32", "affine", 5.0, 20.2),
  row("kmeans:16", "lookup", 4.03, 19.4),
  row("nf4/group:64", "lookup", 4.53, 20.6),
  row("gguf:q4_k", "ggml", 4.5, 21.3, 3),
  row("int8/channel", "affine", 8.08, 41.7),
  row("float16", "lookup", 16, 73.7),
  row("float32", "affine", 32, Number.POSITIVE_INFINITY),
  row("gguf:q2_k", "", null, null, 9),
];
const comparison: QuantizerComparison = { model: "resnet20.onnx", layers: ["a", "b"], weights: 267_264, rows };

export const resnet = () => rateDistortion(comparison);
export const phone = () => rateDistortion(comparison, { width: 360 });
export const nothingFits = () => rateDistortion({ ...comparison, rows: rows.slice(-1) });
export const oneScheme = () => rateDistortion({ ...comparison, rows: rows.slice(0, 1) });
export const worseThanNothing = () => rateDistortion({ ...comparison, rows: [row("fixed:0.1", "affine", 2, -40)] });
export const hostileScheme = () =>
  rateDistortion({ ...comparison, rows: hostileNames.map((name, i) => row(name, "lookup", i + 0.5, 6 * i)) });
