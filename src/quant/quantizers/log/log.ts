/**
 * Logarithmic weights: 0 and ± powers of two, or sums of them, times a scale; multiplying with a weight becomes a shift, or a few.
 * w ≈ s·level with the level nearest to w/s, s of the least squared error. Differs from Miyashita et al., who round log₂|w|: nearest
 * in w itself has less squared error.
 */
import { LowbitError } from "#base/errors";
import { refuseNonFinite } from "#quant/affine";
import { forEachRun, parameterShape } from "#quant/granularity";
import { elementImportance } from "#quant/importance";
import { encodeNearest } from "#quant/nearest";
import { bestScale } from "#quant/quantizers/log/bestScale";
import { additivePowersOfTwo, powersOfRootTwo, powersOfTwo } from "#quant/quantizers/log/levels";
import { leastScale } from "#quant/scales";
import { matrixGranularity, readFlags, type Sharing, sharingFlags } from "#quant/sharing";
import { sortedPoints } from "#quant/sortedPoints";
import { quantizer, type SchemeText } from "#quant/types";

interface LogScheme {
  readonly levels: keyof typeof levelsOf;
  /** Of a code, sign included; 2 … 8. */
  readonly bits: number;
  /** Who shares a scale. */
  readonly sharing: Sharing;
}

const levelsOf = { log2: powersOfTwo, sqrt2: powersOfRootTwo, apot: additivePowersOfTwo } as const;

export const log = quantizer<LogScheme>({
  name: "log",
  title: "Powers of two, or sums of a few of them: fine steps near zero, and multiplications that are shifts.",
  sources: ["Miyashita, Lee & Murmann 2016, arXiv 1603.01025", "Li, Dong & Wang 2020, APoT, arXiv 1909.13144"],
  examples: ["log2:4", "log2:4/sqrt2/channel", "log2:3/group:64", "apot:4/channel", "apot:5"],
  parse: (text) => (text.name === "log2" || text.name === "apot" ? parse(text, text.name) : undefined),
  text,
  // ±0 is one value, and a code is left over
  nominalBits: ({ bits }) => Math.log2(2 ** bits - 1),
  quantize(x, scheme, options) {
    const { values, rows, columns } = x;
    refuseNonFinite(values);
    const levels = levelsOf[scheme.levels](scheme.bits);
    const table = Float32Array.from([
      ...levels
        .slice(1)
        .reverse()
        .map((level) => -level),
      ...levels,
    ]);
    const shape = [rows, columns];
    const granularity = matrixGranularity(scheme.sharing);
    const importance = elementImportance(x, options.importance);
    const units = parameterShape(shape, granularity).reduce((count, dim) => count * dim, 1);
    const scales = new Float32Array(units).fill(leastScale);
    const codes = new Uint8Array(values.length);
    forEachRun(shape, granularity, (index, offset, _, count) => {
      const unit = values.subarray(offset, offset + count);
      const magnitudes = sortedPoints(unit.map(Math.abs), importance?.subarray(offset, offset + count));
      scales[index] = Math.max(bestScale(magnitudes, levels), leastScale);
      // in float32, as it will be decoded
      const scaled = table.map((level) => level * scales[index]);
      encodeNearest(unit, scaled, codes.subarray(offset, offset + count));
    });
    const decoding = {
      kind: "lookup",
      bits: scheme.bits,
      tableGranularity: { per: "tensor" },
      tables: table,
      entries: table.length,
      scale: { granularity, values: scales },
    } as const;
    return { scheme: text(scheme), rows, columns, codes, decoding };
  },
});

function parse(scheme: SchemeText, name: "log2" | "apot"): LogScheme {
  const bits = Number(scheme.argument);
  const least = name === "apot" ? 3 : 2;
  if (!/^\d$/.test(scheme.argument) || bits < least || bits > 8)
    throw new LowbitError("usage/scheme", `"${scheme.text}": ${name} has ${least} to 8 bits, sign included`, {
      hint: `for example ${name}:4/channel`,
    });
  const { sharing, own } = readFlags(scheme, name === "log2" ? ["sqrt2"] : []);
  return { levels: name === "apot" ? "apot" : own.has("sqrt2") ? "sqrt2" : "log2", bits, sharing };
}

function text({ levels, bits, sharing }: LogScheme): string {
  const name = levels === "apot" ? "apot" : "log2";
  return [`${name}:${bits}`, ...sharingFlags(sharing), ...(levels === "sqrt2" ? ["sqrt2"] : [])].join("/");
}
