/**
 * The 4-bit blocks of bitsandbytes, as QLoRA uses them: values are divided by the greatest magnitude of their block, and each
 * becomes the nearest of 16 fixed numbers in [−1, 1]. NF4's numbers are quantiles of the normal distribution, so that codes of
 * Gaussian weights are about equally frequent; FP4's are a sign and eight magnitudes.
 *
 * Codes are those of bitsandbytes and ONNX Runtime's MatMulBnb4, bit for bit: x · (1/amax) in float32, borders halfway between
 * neighbours rounded to float32, a value on a border takes the lower number (NF4) or the lesser magnitude (FP4), and small
 * negative numbers of FP4 are −0. Dettmers et al. 2023, arXiv 2305.14314, §3 and appendix E.
 */
import { absmax } from "#quant/absmax";
import { codeValues } from "#quant/codeValues";
import type { Lookup } from "#quant/decoding";
import { dtype, type TableRow } from "#quant/dtype";
import { forEachRun } from "#quant/granularity";
import { noArgument } from "#quant/ownFlags";
import { matrixGranularity, readFlags, type Sharing, sharingFlags } from "#quant/sharing";
import { quantizer } from "#quant/types";

interface BlockScheme {
  readonly name: "nf4" | "fp4";
  readonly sharing: Sharing;
}

const smallestNormal = 1.1754943508222875e-38;

export const bitsandbytes = quantizer<BlockScheme>({
  name: "bitsandbytes",
  title: "NF4 and FP4: sixteen fixed levels between −1 and 1, stretched to the largest value of each block.",
  sources: ["Dettmers et al. 2023, arXiv 2305.14314 (QLoRA)", "bitsandbytes", "ONNX Runtime MatMulBnb4"],
  examples: ["nf4/group:64", "fp4/group:64", "nf4/channel"],
  parse(text) {
    const { name, flags } = text;
    if (name !== "nf4" && name !== "fp4") return undefined;
    noArgument(text);
    return { name, sharing: flags.length === 0 ? { per: "group", size: 64 } : readFlags(text).sharing };
  },
  text: schemeText,
  nominalBits: () => 4,
  quantize({ values, rows, columns }, scheme) {
    const row = dtype(scheme.name) as TableRow; // nf4 and fp4 are tables
    const granularity = matrixGranularity(scheme.sharing);
    const amax = absmax(values, [rows, columns], granularity);
    const codes = new Uint8Array(values.length);
    const encode = encoder(row);
    forEachRun([rows, columns], granularity, (index, offset, step, count) => {
      const inverse = Math.fround(1 / Math.max(amax[index], smallestNormal));
      for (let k = 0, i = offset; k < count; k++, i += step) codes[i] = encode(Math.fround(values[i] * inverse));
    });
    const tables = codeValues(row);
    const decoding: Lookup = {
      kind: "lookup",
      bits: 4,
      tableGranularity: { per: "tensor" },
      tables,
      entries: tables.length,
      dtype: row.name,
      scale: { granularity, values: amax.map((value) => (value === 0 ? 1 : value)) },
    };
    return { scheme: schemeText(scheme), rows, columns, codes, decoding };
  },
});

function schemeText({ name, sharing }: BlockScheme): string {
  return [name, ...(sharing.per === "tensor" ? ["tensor"] : sharingFlags(sharing))].join("/");
}

/** The code of the level nearest to a number in [−1, 1]. */
function encoder({ name, values }: TableRow): (x: number) => number {
  if (name === "nf4") return nearest(values, [...values.keys()]);
  const byMagnitude = [0, 1, 2, 3, 4, 5, 6, 7].sort((a, b) => values[a] - values[b]);
  const magnitude = nearest(
    byMagnitude.map((code) => values[code]),
    byMagnitude,
  );
  return (x) => (x < 0 ? 8 + magnitude(-x) : magnitude(x));
}

/** The code of the nearest of ascending levels, whose number is a power of two. */
function nearest(levels: readonly number[], codes: readonly number[]): (x: number) => number {
  const borders = Float32Array.from(levels.slice(1), (level, k) => (levels[k] + level) / 2);
  return (x) => {
    let at = 0;
    for (let half = levels.length >>> 1; half > 0; half >>>= 1) if (x > borders[at + half - 1]) at += half;
    return codes[at];
  };
}
