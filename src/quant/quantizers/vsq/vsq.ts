/**
 * VS-Quant, per-vector scaled quantization: integers in vectors of 16, each with a small integer as its scale, and each channel
 * with one float32.
 *
 *   γ = max_row|x| / (qmax · (2ᴹ − 1));  S_q = round(max₁₆|x| / qmax / γ), 1 … 2ᴹ − 1;  x̂ = q · S_q · γ,  |q| ≤ qmax
 *
 * (Dai et al. 2021, arXiv 2102.04503, §4.4, two-level scaling.) Differs from the paper: codes are rounded against the scale
 * that decodes them, S_q·γ, and not against the one before its own rounding, so the two errors do not add up.
 */
import { LowbitError } from "#base/errors";
import { absmax, absmaxScale } from "#quant/absmax";
import { encodeAffine } from "#quant/affine";
import type { IntegerDType } from "#quant/dtype";
import type { Granularity } from "#quant/granularity";
import { roundHalfEven } from "#math/round";
import { ownFlags } from "#quant/ownFlags";
import { quantizer } from "#quant/types";

interface VsqScheme {
  /** Of a code. */
  readonly bits: number;
  /** Of a vector's scale. */
  readonly scaleBits: number;
  /** Length of a vector. */
  readonly size: number;
}

export const vsq = quantizer<VsqScheme>({
  name: "vsq",
  title: "Short vectors of integers, each with a small integer scale of its own on top of the channel's.",
  sources: ["Dai et al. 2021, arXiv 2102.04503 (VS-Quant)"],
  examples: ["vsq:4", "vsq:3/scale:6", "vsq:8/group:32/scale:8"],
  parse(text) {
    if (text.name !== "vsq") return undefined;
    const flags = ownFlags(text, ["group", "scale"]);
    const bits = within(text.argument || "4", 2, 8, "codes have 2 to 8 bits", text.text);
    const scaleBits = within(flags.get("scale") ?? "4", 2, 8, "scales have 2 to 8 bits", text.text);
    const size = within(flags.get("group") ?? "16", 2, 1024, "vectors have 2 to 1024 values", text.text);
    return { bits, scaleBits, size };
  },
  text: schemeText,
  nominalBits: ({ bits }) => bits,
  quantize({ values, rows, columns }, scheme) {
    const { bits, scaleBits, size } = scheme;
    const shape = [rows, columns];
    const vectors: Granularity = { per: "group", axis: 1, size };
    const channels: Granularity = { per: "channel", axis: 0 };
    const top = 2 ** (bits - 1) - 1;
    const topScale = 2 ** scaleBits - 1;
    const outer = absmax(values, shape, channels).map((amax) => absmaxScale(amax, top * topScale));
    const perRow = Math.ceil(columns / size);
    const scale = absmax(values, shape, vectors).map((amax, i) => {
      const gamma = outer[Math.floor(i / perRow)];
      return Math.max(1, Math.min(roundHalfEven(amax / top / gamma), topScale)) * gamma;
    });
    const decoding = {
      kind: "affine",
      dtype: `int${bits}` as IntegerDType,
      granularity: vectors,
      scale,
      zeroPoint: null,
      storedScale: {
        granularity: vectors,
        values: scale,
        dtype: `uint${scaleBits}` as IntegerDType,
        outer: { granularity: channels, values: outer },
      },
    } as const;
    const codes = encodeAffine(values, shape, decoding, { symmetric: true });
    return { scheme: schemeText(scheme), rows, columns, codes: Int8Array.from(codes), decoding };
  },
});

function schemeText({ bits, scaleBits, size }: VsqScheme): string {
  return [
    `vsq:${bits}`,
    ...(size === 16 ? [] : [`group:${size}`]),
    ...(scaleBits === 4 ? [] : [`scale:${scaleBits}`]),
  ].join("/");
}

function within(value: string, min: number, max: number, rule: string, text: string): number {
  const n = Number(value);
  if (/^\d+$/.test(value) && n >= min && n <= max) return n;
  throw new LowbitError("usage/scheme", `"${text}": ${rule}, not ${value === "" ? "none" : value}`, {
    hint: "for example vsq:4/group:16/scale:4",
  });
}
