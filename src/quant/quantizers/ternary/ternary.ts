/**
 * Ternary weights: −1, 0 or 1, times a scale. What lies within ±Δ of 0 becomes 0.
 *
 *   ternary           Δ = 0.7·mean|w|, α = mean|w| beyond Δ     TWN: Li, Zhang & Liu 2016, arXiv 1605.04711, §2
 *   ternary/optimal   the Δ of the least squared error             what 0.7·mean|w| approximates there
 *   ternary:ttq       a scale for each sign                         TTQ: Zhu et al. 2017, arXiv 1612.01064
 *   ternary:absmean   clip(round(w/γ), −1, 1), γ = mean|w|          BitNet b1.58: Ma et al. 2024, arXiv 2402.17764, eq. 1–3
 */
import { LowbitError } from "#base/errors";
import { refuseNonFinite } from "#quant/affine";
import type { Lookup } from "#quant/decoding";
import { forEachRun, parameterShape } from "#quant/granularity";
import { elementImportance } from "#quant/importance";
import { fitAbsMean, fitOneScale, fitTwoScales, type Threshold } from "#quant/quantizers/ternary/fitTernary";
import { leastScale } from "#quant/scales";
import { matrixGranularity, readFlags, type Sharing, sharingFlags } from "#quant/sharing";
import { quantizer, type SchemeText } from "#quant/types";

interface TernaryScheme {
  readonly kind: keyof typeof fits;
  readonly threshold: Threshold;
  /** Who shares Δ and scales. */
  readonly sharing: Sharing;
}

const fits = { twn: fitOneScale, ttq: fitTwoScales, absmean: fitAbsMean } as const;
const twnThreshold: Threshold = { by: "mean", t: 0.7 };

export const ternary = quantizer<TernaryScheme>({
  name: "ternary",
  title: "Three values: weights near zero become zero, the others plus or minus a scale.",
  sources: [
    "Li, Zhang & Liu 2016, Ternary Weight Networks, arXiv 1605.04711",
    "Zhu et al. 2017, Trained Ternary Quantization, arXiv 1612.01064",
    "Ma et al. 2024, BitNet b1.58, arXiv 2402.17764",
  ],
  examples: ["ternary/channel", "ternary/optimal", "ternary:ttq/channel", "ternary:ttq/max:0.05", "ternary:absmean"],
  parse: (text) => (text.name === "ternary" ? parse(text) : undefined),
  text,
  nominalBits: () => Math.log2(3),
  quantize(x, scheme, options) {
    const { values, rows, columns } = x;
    refuseNonFinite(values);
    const shape = [rows, columns];
    const granularity = matrixGranularity(scheme.sharing);
    const importance = elementImportance(x, options.importance);
    const units = parameterShape(shape, granularity).reduce((count, dim) => count * dim, 1);
    const lows = new Float32Array(units).fill(leastScale);
    const highs = lows.slice();
    const codes = new Uint8Array(values.length);
    forEachRun(shape, granularity, (index, offset, _, count) => {
      const unit = values.subarray(offset, offset + count);
      const fit = fits[scheme.kind](unit, importance?.subarray(offset, offset + count), scheme.threshold);
      lows[index] = Math.max(fit.low.scale, leastScale);
      highs[index] = Math.max(fit.high.scale, leastScale);
      for (let i = 0; i < count; i++) {
        codes[offset + i] = unit[i] > fit.high.above ? 2 : -unit[i] > fit.low.above ? 0 : 1;
      }
    });
    const decoding: Lookup =
      scheme.kind === "ttq"
        ? { ...lookup, tableGranularity: granularity, tables: tablesOf(lows, highs), scale: null }
        : { ...lookup, tables: Float32Array.of(-1, 0, 1), scale: { granularity, values: highs } };
    return { scheme: text(scheme), rows, columns, codes, decoding };
  },
});

const lookup = { kind: "lookup", bits: 2, entries: 3, tableGranularity: { per: "tensor" } } as const;

function tablesOf(lows: Float32Array, highs: Float32Array): Float32Array {
  const tables = new Float32Array(3 * lows.length);
  for (let i = 0; i < lows.length; i++) tables.set([-lows[i], 0, highs[i]], 3 * i);
  return tables;
}

function parse(scheme: SchemeText): TernaryScheme {
  const kind = scheme.argument === "" ? "twn" : scheme.argument;
  if (kind !== "twn" && kind !== "ttq" && kind !== "absmean")
    throw new LowbitError("usage/scheme", `"${scheme.text}": there is no ternary:${kind}`, {
      hint: "there are ternary, ternary:ttq and ternary:absmean",
    });
  const { sharing, own } = readFlags(scheme, ["optimal", "max:T"]);
  if (kind === "absmean" && (own.has("optimal") || own.has("max")))
    throw new LowbitError("usage/scheme", `"${scheme.text}": absmean has its own threshold, half of mean|w|`, {
      hint: "ternary and ternary:ttq take /optimal and /max:T",
    });
  const share = own.get("max");
  const threshold: Threshold = own.has("optimal")
    ? { by: "optimal" }
    : share === undefined
      ? twnThreshold
      : { by: "max", t: fraction(share, scheme.text) };
  return { kind, threshold, sharing };
}

function fraction(value: string, text: string): number {
  const t = Number(value);
  if (value !== "" && t >= 0 && t < 1) return t;
  throw new LowbitError("usage/scheme", `"${text}": a threshold is a part of max|w|, from 0 up to 1`, {
    hint: "for example ternary:ttq/max:0.05",
  });
}

function text({ kind, threshold, sharing }: TernaryScheme): string {
  const name = kind === "twn" ? "ternary" : `ternary:${kind}`;
  const rule = threshold.by === "mean" ? [] : [threshold.by === "max" ? `max:${threshold.t}` : threshold.by];
  return [name, ...sharingFlags(sharing), ...rule].join("/");
}
