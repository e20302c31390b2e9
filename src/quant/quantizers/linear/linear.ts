/**
 * Linear (uniform, affine) quantization: equal steps between the codes. x̂ = (q − z)·s, q = clamp(round(x/s) + z).
 */
import { encodeAffine } from "#quant/affine";
import { dtypes } from "#quant/dtype";
import { elementImportance } from "#quant/importance";
import { encodeStochastic } from "#quant/encodeStochastic";
import { fitLinear } from "#quant/quantizers/linear/fitLinear";
import { parseScheme, type Scheme, schemeText } from "#quant/scheme";
import { matrixGranularity } from "#quant/sharing";
import { quantizer } from "#quant/types";

export const linear = quantizer<Scheme>({
  name: "linear",
  title:
    "Equal steps between the smallest and the largest value: a scale, and a zero point where the values are lopsided.",
  sources: [
    "Jacob et al. 2018, arXiv 1712.05877, eq. 1",
    "ONNX QuantizeLinear",
    "Krishnamoorthi 2018, arXiv 1806.08342",
    "Gupta et al. 2015, arXiv 1502.02551 (stochastic rounding)",
  ],
  examples: [
    "int8/channel",
    "int8",
    "uint8/asymmetric",
    "int4/group:32",
    "uint4/group:32/asymmetric",
    "int2/group:16",
    "int4/channel/full",
    "int4/block:4x64/mse",
    "int8/token/percentile:99.9",
    "int4/group:32/octav/pow2",
    "int6/channel/stochastic",
    "uint1/group:8",
  ],
  parse: ({ name, text }) =>
    [...dtypes.values()].some((row) => row.name === name && row.kind === "integer" && row.bits <= 16)
      ? (parseScheme(text) ?? undefined)
      : undefined,
  text: schemeText,
  nominalBits: ({ dtype }) => dtypes.get(dtype)?.bits ?? 32,
  quantize(x, scheme, { importance, rng }) {
    const { values, rows, columns } = x;
    const shape = [rows, columns];
    const each = elementImportance(x, importance);
    const decoding = fitLinear(values, shape, matrixGranularity(scheme.granularity), scheme, { importance: each });
    const codes = scheme.stochastic
      ? encodeStochastic(values, shape, decoding, scheme, rng)
      : encodeAffine(values, shape, decoding, scheme);
    return { scheme: schemeText(scheme), rows, columns, codes, decoding };
  },
});
