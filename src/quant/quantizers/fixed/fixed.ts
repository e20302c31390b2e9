/**
 * Fixed point: integers that stand for multiples of 2⁻ⁿ. x̂ = q·2⁻ⁿ, q = clamp(round(x·2ⁿ)); Qm.n has m bits before the binary
 * point, n after it and, unless unsigned, a sign bit on top. The point does not move: what lies beyond ±2ᵐ saturates.
 */
import { LowbitError } from "#base/errors";
import { encodeAffine, refuseNonFinite } from "#quant/affine";
import { dtype, type FixedDType, type FixedRow, type IntegerDType } from "#quant/dtype";
import { encodeStochastic } from "#quant/encodeStochastic";
import { pointAt } from "#quant/quantizers/fixed/pointAt";
import { readFlagsOf } from "#quant/sharing";
import { quantizer, type SchemeText } from "#quant/types";

interface FixedScheme {
  /** → q3.4, uq4.4 */
  readonly format: FixedDType;
  readonly stochastic: boolean;
}

export const fixed = quantizer<FixedScheme>({
  name: "fixed",
  title: "Fixed point: a binary point at one place for all numbers, so that hardware needs integers and shifts only.",
  sources: ["Gupta et al. 2015, arXiv 1502.02551", "Texas Instruments Qm.n notation"],
  examples: ["fixed:3.4", "fixed:2.13", "fixed:2.1", "fixed:3.4/stochastic", "fixed:3.5/unsigned"],
  parse: (parts) => (parts.name === "fixed" ? parse(parts) : undefined),
  text,
  nominalBits: ({ format }) => dtype(format).bits,
  quantize({ values, rows, columns }, scheme, { rng }) {
    refuseNonFinite(values);
    const { bits, signed, fractionBits } = rowOf(scheme.format);
    const shape = [rows, columns];
    // formats have up to 16 bits, as integers have
    const integer = `${signed ? "int" : "uint"}${bits}` as IntegerDType;
    const decoding = pointAt(integer, { per: "tensor" }, Float32Array.of(2 ** -fractionBits));
    const all = { symmetric: false };
    const codes = scheme.stochastic
      ? encodeStochastic(values, shape, decoding, all, rng)
      : encodeAffine(values, shape, decoding, all);
    return { scheme: text(scheme), rows, columns, codes, decoding };
  },
});

function text({ format, stochastic }: FixedScheme): string {
  const unsigned = format.startsWith("u") ? "/unsigned" : "";
  return `fixed:${format.replace(/^u?q/, "")}${unsigned}${stochastic ? "/stochastic" : ""}`;
}

function parse(parts: SchemeText): FixedScheme {
  const flags = readFlagsOf(parts, ["unsigned", "stochastic"]);
  if (!/^\d{1,2}\.\d{1,2}$/.test(parts.argument))
    throw new LowbitError("usage/scheme", `"${parts.text}": fixed point needs bits before and after the binary point`, {
      hint: "fixed:3.4 has a sign, 3 bits before the point and 4 after it; dfp:8 finds the point itself",
    });
  const { name } = rowOf(`${flags.has("unsigned") ? "uq" : "q"}${parts.argument}`);
  return { format: name, stochastic: flags.has("stochastic") };
}

function rowOf(name: string): FixedRow {
  const row = dtype(name);
  if (row.kind === "fixed") return row;
  throw new LowbitError("usage/scheme", `${name} is no fixed-point format`);
}
