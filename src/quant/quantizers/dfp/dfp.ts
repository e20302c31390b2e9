/**
 * Dynamic fixed point: the word's length is fixed, and the binary point moves with the values. x̂ = q·2ᵉ with q a two's complement
 * integer of b bits, and one e for a tensor, channel or group: the least for which no more than an allowed share of the values
 * overflows (Courbariaux, Bengio & David 2014, arXiv 1412.7024, §5, for values that are all known).
 */
import { LowbitError } from "#base/errors";
import { exponentOf } from "#math/minifloat";
import { roundHalfEven } from "#math/round";
import { encodeAffine, refuseNonFinite } from "#quant/affine";
import type { IntegerDType } from "#quant/dtype";
import { encodeStochastic } from "#quant/encodeStochastic";
import { forEachRun, parameterShape } from "#quant/granularity";
import { pointAt } from "#quant/quantizers/fixed/pointAt";
import { matrixGranularity, readFlags, type Sharing, sharingFlags } from "#quant/sharing";
import { quantizer, type SchemeText } from "#quant/types";

interface DynamicFixedPointScheme {
  /** Word length with the sign, 2 to 16. */
  readonly bits: number;
  readonly sharing: Sharing;
  /** How many of the values that are not 0 may saturate, in percent. Default 0. */
  readonly overflow: number;
  readonly stochastic: boolean;
}

export const dfp = quantizer<DynamicFixedPointScheme>({
  name: "dfp",
  title:
    "Dynamic fixed point: words of one length whose binary point moves with the range of a layer, channel or group.",
  sources: [
    "Courbariaux, Bengio & David 2014, arXiv 1412.7024",
    "Williamson 1991, Dynamically scaled fixed point arithmetic",
  ],
  examples: ["dfp:8", "dfp:8/channel", "dfp:4/group:32", "dfp:4/channel/overflow:1", "dfp:6/stochastic"],
  parse: (parts) => (parts.name === "dfp" ? parse(parts) : undefined),
  text,
  nominalBits: ({ bits }) => bits,
  quantize({ values, rows, columns }, scheme, { rng }) {
    refuseNonFinite(values);
    const { bits, overflow } = scheme;
    const shape = [rows, columns];
    const granularity = matrixGranularity(scheme.sharing);
    const count = parameterShape(shape, granularity).reduce((product, dim) => product * dim, 1);
    const steps = new Float32Array(count).fill(1);
    forEachRun(shape, granularity, (index, offset, _step, length) => {
      steps[index] = finestStep(values.subarray(offset, offset + length), bits, overflow / 100);
    });
    const decoding = pointAt(`int${bits}` as IntegerDType, granularity, steps);
    const all = { symmetric: false };
    const codes = scheme.stochastic
      ? encodeStochastic(values, shape, decoding, all, rng)
      : encodeAffine(values, shape, decoding, all);
    return { scheme: text(scheme), rows, columns, codes, decoding };
  },
});

/**
 * The least power of two in which no more than `share` of the values overflow; 1 for zeros. The lowest code stands for −2¹²⁷ at
 * most, a finite float32.
 */
function finestStep(values: Float32Array, bits: number, share: number): number {
  let largest = 0;
  let used = 0;
  for (const v of values) {
    if (v !== 0) used++;
    if (Math.abs(v) > largest) largest = Math.abs(v);
  }
  if (used === 0) return 1;
  // of twice the step that might just do nothing overflows
  let exponent = Math.min(Math.max(exponentOf(largest) + 3 - bits, least), 128 - bits);
  while (exponent > least && overflowing(values, bits, 2 ** (exponent - 1)) <= share * used) exponent--;
  return 2 ** exponent;
}

/** Exponent of the smallest normal float32. */
const least = -126;

function overflowing(values: Float32Array, bits: number, step: number): number {
  const top = 2 ** (bits - 1) - 1;
  let count = 0;
  for (const v of values) {
    const q = roundHalfEven(v / step);
    if (q > top || q < -top - 1) count++;
  }
  return count;
}

function text({ bits, sharing, overflow, stochastic }: DynamicFixedPointScheme): string {
  const flags = [...sharingFlags(sharing)];
  if (overflow !== 0) flags.push(`overflow:${overflow}`);
  if (stochastic) flags.push("stochastic");
  return [`dfp:${bits}`, ...flags].join("/");
}

function parse(parts: SchemeText): DynamicFixedPointScheme {
  const { sharing, own } = readFlags(parts, ["overflow:P", "stochastic"]);
  const wrong = (message: string): LowbitError =>
    new LowbitError("usage/scheme", `"${parts.text}": ${message}`, {
      hint: "for example dfp:8/channel, dfp:4/overflow:0.1",
    });
  const bits = Number(parts.argument);
  if (!/^\d+$/.test(parts.argument) || bits < 2 || bits > 16) throw wrong("words have 2 to 16 bits");
  const overflow = Number(own.get("overflow") ?? 0);
  if (!(overflow >= 0 && overflow < 100)) throw wrong("overflow is a percentage below 100");
  return { bits, sharing, overflow, stochastic: own.has("stochastic") };
}
