/**
 * Binary weights: w ≈ α·b with b = sign(w), sign(0) = +1 and α = mean|w| of the tensor, channel or group (BWN: Rastegari et al. 2016,
 * arXiv 1603.05279, eq. 6); or a sum of k of them, w ≈ Σ αᵢ·bᵢ. Stochastic: b = +1 with probability clip((w/α + 1)/2, 0, 1)
 * (BinaryConnect: Courbariaux et al. 2015, eq. 2, with α = 1), so that the mean over many draws is w where |w| ≤ α.
 */
import { LowbitError } from "#base/errors";
import { refuseNonFinite } from "#quant/affine";
import type { Lookup } from "#quant/decoding";
import { forEachRun, parameterShape } from "#quant/granularity";
import { elementImportance } from "#quant/importance";
import { encodeNearest } from "#quant/nearest";
import { binaryTable, fitBinary } from "#quant/quantizers/binary/fitBinary";
import { leastScale } from "#quant/scales";
import { matrixGranularity, readFlags, type Sharing, sharingFlags } from "#quant/sharing";
import { quantizer, type SchemeText } from "#quant/types";

interface BinaryScheme {
  /** k; 1 … 4. */
  readonly bits: number;
  /** Who shares scales. */
  readonly sharing: Sharing;
  /** Of one bit only. */
  readonly stochastic: boolean;
}

export const binary = quantizer<BinaryScheme>({
  name: "binary",
  title: "One bit a weight: its sign, times a scale that many share. Or the sum of two to four such.",
  sources: [
    "Rastegari et al. 2016, XNOR-Net, arXiv 1603.05279",
    "Courbariaux et al. 2015, BinaryConnect, arXiv 1511.00363",
    "Xu et al. 2018, Alternating Multi-bit Quantization, arXiv 1802.00150",
  ],
  examples: ["binary/channel", "binary", "binary/group:64", "binary/stochastic", "binary:2", "binary:3/channel"],
  parse: (text) => (text.name === "binary" ? parse(text) : undefined),
  text,
  nominalBits: ({ bits }) => bits,
  quantize(x, scheme, options) {
    const { values, rows, columns } = x;
    refuseNonFinite(values);
    const { bits, stochastic } = scheme;
    const shape = [rows, columns];
    const granularity = matrixGranularity(scheme.sharing);
    const importance = elementImportance(x, options.importance);
    const units = parameterShape(shape, granularity).reduce((count, dim) => count * dim, 1);
    const scales = new Float32Array(bits === 1 ? units : 0).fill(leastScale);
    const tables = new Float32Array(bits === 1 ? 0 : units * 2 ** bits);
    const codes = new Uint8Array(values.length);
    forEachRun(shape, granularity, (index, offset, _, count) => {
      const unit = values.subarray(offset, offset + count);
      const fitted = fitBinary(unit, importance?.subarray(offset, offset + count), bits);
      const out = codes.subarray(offset, offset + count);
      if (bits > 1) {
        const table = Float32Array.from(binaryTable(fitted));
        tables.set(table, index * table.length);
        encodeSums(unit, table, out);
        return;
      }
      scales[index] = Math.max(fitted[0], leastScale);
      const scale = scales[index];
      for (let i = 0; i < unit.length; i++) {
        out[i] = Number(stochastic ? options.rng.uniform() < (unit[i] / scale + 1) / 2 : unit[i] >= 0);
      }
    });
    const decoding: Lookup =
      bits === 1
        ? { ...lookup, bits, tables: Float32Array.of(-1, 1), entries: 2, scale: { granularity, values: scales } }
        : { ...lookup, bits, tables, entries: 2 ** bits, tableGranularity: granularity };
    return { scheme: text(scheme), rows, columns, codes, decoding };
  },
});

const lookup = { kind: "lookup", tableGranularity: { per: "tensor" }, scale: null } as const;

/** Codes of the nearest sums; of two equally near the upper one, as sign(0) = +1. */
function encodeSums(x: Float32Array, table: Float32Array, codes: Uint8Array): void {
  const ascending = Uint8Array.from(table, (_, code) => code).sort((a, b) => table[a] - table[b]);
  const last = table.length - 1;
  // −x among the levels, all signs flipped: the levels are symmetric, and so is their order
  encodeNearest(
    x.map((v) => -v),
    Float32Array.from(ascending, (code) => table[code]),
    codes,
  );
  for (let i = 0; i < codes.length; i++) codes[i] = last - ascending[codes[i]];
}

function parse(scheme: SchemeText): BinaryScheme {
  const bits = scheme.argument === "" ? 1 : Number(scheme.argument);
  if (![1, 2, 3, 4].includes(bits))
    throw new LowbitError("usage/scheme", `"${scheme.text}": a sum has 1 to 4 binary terms`, {
      hint: "for example binary, binary:2 or binary:3/channel",
    });
  const { sharing, own } = readFlags(scheme, ["stochastic"]);
  const stochastic = own.has("stochastic");
  if (stochastic && bits > 1)
    throw new LowbitError("usage/scheme", `"${scheme.text}": only one bit is drawn by lot`, {
      hint: `write binary/stochastic, or binary:${bits}`,
    });
  return { bits, sharing, stochastic };
}

function text({ bits, sharing, stochastic }: BinaryScheme): string {
  const name = bits === 1 ? "binary" : `binary:${bits}`;
  return [name, ...sharingFlags(sharing), ...(stochastic ? ["stochastic"] : [])].join("/");
}
