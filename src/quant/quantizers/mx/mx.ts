/**
 * Microscaling (MX) formats: 32 neighbours of a row share a power of two, 2^X, stored as E8M0, and each is a small number.
 *
 *   X = ⌊log₂ max|x|⌋ − emax,  emax the exponent of the element format's largest number;  x̂ = 2^X · decode(encode(x / 2^X))
 *
 * (OCP Microscaling Formats 1.0, §6.3). Values between the element's largest number and 2^(emax+1) saturate. The elements of
 * mxint8 are fixed point with six fraction bits: here their scale is 2^(X−6) and the codes are integers −127 … 127; of a file's
 * E8M0 byte that is 6 less.
 */
import { exponentOf } from "#math/minifloat";
import { absmax } from "#quant/absmax";
import { encodeAffine } from "#quant/affine";
import type { Scales } from "#quant/decoding";
import { dtype } from "#quant/dtype";
import { floatLookup } from "#quant/floatLookup";
import type { Granularity } from "#quant/granularity";
import { noArgument, ownFlags } from "#quant/ownFlags";
import { type Matrix, quantizer } from "#quant/types";

/** The element of each format. */
const mxElements = {
  mxfp8e4m3: "float8e4m3fn",
  mxfp8e5m2: "float8e5m2",
  mxfp6e2m3: "float6e2m3",
  mxfp6e3m2: "float6e3m2",
  mxfp4: "float4e2m1",
  mxint8: "int8",
} as const;

const block: Granularity = { per: "group", axis: 1, size: 32 };

export const mx = quantizer<keyof typeof mxElements>({
  name: "mx",
  title: "Microscaling: blocks of 32 small floats or integers share a power of two, which hardware scales by for free.",
  sources: ["OCP Microscaling Formats (MX) Specification 1.0", "Rouhani et al. 2023, arXiv 2310.10537"],
  examples: Object.keys(mxElements),
  parse(text) {
    if (!Object.hasOwn(mxElements, text.name)) return undefined;
    noArgument(text);
    ownFlags(text);
    return text.name as keyof typeof mxElements;
  },
  text: (name) => name,
  nominalBits: (name) => dtype(mxElements[name]).bits,
  quantize(x, name) {
    const row = dtype(mxElements[name]);
    if (row.kind === "float") return floatLookup(x, name, row, powerScales(x, block, exponentOf(row.max)));
    // max|codes| · 2^(X−6) is just below 2^(X+1)
    const storedScale = powerScales(x, block, row.bits - 2);
    const decoding = {
      kind: "affine",
      dtype: row.name,
      granularity: block,
      scale: storedScale.values,
      zeroPoint: null,
      storedScale,
    } as const;
    const { values, rows, columns } = x;
    const codes = encodeAffine(values, [rows, columns], decoding, { symmetric: true });
    return { scheme: name, rows, columns, codes: Int8Array.from(codes), decoding };
  },
});

/** E8M0 scales 2^(⌊log₂ max|x|⌋ − emax), as near to it as 2^−127 … 2^127 allow; blocks of zeros have the least. */
export function powerScales({ values, rows, columns }: Matrix, granularity: Granularity, emax: number): Scales {
  const powers = absmax(values, [rows, columns], granularity).map(
    (amax) => 2 ** Math.max(-127, Math.min(exponentOf(amax) - emax, 127)),
  );
  return { granularity, values: powers, dtype: "float8e8m0" };
}
