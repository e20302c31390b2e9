/**
 * Linear (uniform, affine) quantization: equal steps between the codes. x̂ = (q − z)·s, q = clamp(round(x/s) + z).
 */
import { encodeAffine, fitAffine } from "#quant/affine";
import { dtypes } from "#quant/dtype";
import type { Granularity } from "#quant/granularity";
import { parseScheme, type Scheme, schemeText } from "#quant/scheme";
import { quantizer } from "#quant/types";

export const linear = quantizer<Scheme>({
  name: "linear",
  title:
    "Equal steps between the smallest and the largest value: a scale, and a zero point where the values are lopsided.",
  sources: ["Jacob et al. 2018, arXiv 1712.05877, eq. 1", "ONNX QuantizeLinear"],
  examples: ["int8/channel", "int8", "uint8/asymmetric", "int4/group:32", "uint4/group:32/asymmetric", "int2/group:16"],
  parse: ({ name, text }) =>
    [...dtypes.values()].some((row) => row.name === name && row.kind === "integer" && row.bits <= 16)
      ? (parseScheme(text) ?? undefined)
      : undefined,
  text: schemeText,
  nominalBits: ({ dtype }) => dtypes.get(dtype)?.bits ?? 32,
  quantize({ values, rows, columns }, scheme) {
    const shape = [rows, columns];
    const decoding = fitAffine(values, shape, scheme.dtype, granularityOf(scheme), scheme);
    const codes = encodeAffine(values, shape, decoding, scheme);
    return { scheme: schemeText(scheme), rows, columns, codes, decoding };
  },
});

function granularityOf({ granularity }: Scheme): Granularity {
  switch (granularity.per) {
    case "tensor":
      return { per: "tensor" };
    case "channel":
      return { per: "channel", axis: 0 };
    case "group":
      return { per: "group", axis: 1, size: granularity.size };
  }
}
