/**
 * Floating point of 4 to 16 bits: steps that grow with the value, so that the relative error is about the same everywhere.
 * x̂ = s · decode(code), s = max|x| / the format's largest number, for a tensor, channel or group; formats of 16 bits reach far
 * enough to need no scale, and have none unless asked for.
 */
import { LowbitError } from "#base/errors";
import { absmax, absmaxScale } from "#quant/absmax";
import { type DTypeName, dtypes, type FloatRow } from "#quant/dtype";
import { floatLookup } from "#quant/floatLookup";
import { noArgument } from "#quant/ownFlags";
import { matrixGranularity, readFlags, type Sharing, sharingFlags } from "#quant/sharing";
import { type Matrix, quantizer } from "#quant/types";

interface FloatScheme {
  readonly dtype: FloatRow["name"];
  /** Null: no scale, values are cast. */
  readonly scale: Sharing | null;
}

export const float = quantizer<FloatScheme>({
  name: "float",
  title:
    "Small floating point: a few bits of exponent and mantissa, so that steps are fine near zero and wide far out.",
  sources: [
    "Micikevicius et al. 2022, arXiv 2209.05433 (float8)",
    "OCP 8-bit Floating Point Specification 1.0",
    "OCP Microscaling Formats 1.0 (float6, float4)",
    "IEEE 754-2019 (float16)",
  ],
  examples: [
    "float8e4m3fn/channel",
    "float8e5m2",
    "float6e2m3/group:32",
    "float6e3m2/channel",
    "float4e2m1/group:32",
    "float4e1m2/group:32",
    "float4e3m0/group:32",
    "bfloat16",
    "float16/tensor",
  ],
  parse(text) {
    const row = dtypes.get(text.name as DTypeName);
    if (row?.kind !== "float" || !row.signed || row.bits > 16) return undefined;
    noArgument(text);
    const { sharing, own } = readFlags(text, ["unscaled"]);
    const plain = own.has("unscaled") || (row.bits === 16 && text.flags.length === 0);
    return { dtype: row.name, scale: plain ? null : sharing };
  },
  text: schemeText,
  nominalBits: ({ dtype }) => rowOf(dtype).bits,
  quantize(x, scheme) {
    const { scale } = scheme;
    const row = rowOf(scheme.dtype);
    if (scale === null) {
      refuseBeyond(x, row);
      return floatLookup(x, schemeText(scheme), row, null);
    }
    const granularity = matrixGranularity(scale);
    const values = absmax(x.values, [x.rows, x.columns], granularity).map((amax) => absmaxScale(amax, row.max));
    return floatLookup(x, schemeText(scheme), row, { granularity, values });
  },
});

function schemeText({ dtype, scale }: FloatScheme): string {
  const wide = rowOf(dtype).bits === 16;
  if (scale === null) return wide ? dtype : `${dtype}/unscaled`;
  return [dtype, ...(wide && scale.per === "tensor" ? ["tensor"] : sharingFlags(scale))].join("/");
}

function rowOf(name: FloatScheme["dtype"]): FloatRow {
  return dtypes.get(name) as FloatRow; // the table has a row of floats for each of their names
}

function refuseBeyond({ values, rows, columns }: Matrix, row: FloatRow): void {
  const [amax] = absmax(values, [rows, columns], { per: "tensor" });
  if (amax <= row.max) return;
  throw new LowbitError("quant/scheme", `values up to ${amax} do not fit ${row.name}, whose largest is ${row.max}`, {
    hint: `${row.name}/tensor scales them; bfloat16 reaches as far as float32`,
  });
}
