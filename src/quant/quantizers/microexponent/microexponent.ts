/**
 * MX4, MX6 and MX9, with two levels of shared exponents: 16 neighbours share 2^E, and each pair among them one bit that may
 * halve it. An element is a sign and m bits of magnitude, without a hidden bit.
 *
 *   E = ⌊log₂ max₁₆|x|⌋;  τ = 1 if ⌊log₂ max₂|x|⌋ < E, else 0;  x̂ = q · 2^(E − τ − m + 1),  |q| ≤ 2ᵐ − 1
 *
 * (Rouhani et al. 2023, "With Shared Microexponents, A Little Shifting Goes a Long Way", table 2: k₁ = 16, k₂ = 2, d₂ = 1,
 * m = 2, 4, 7). Bits per weight: 1 + m + 1/2 + 8/16. The stored exponent is E − m + 1.
 */
import { absmax } from "#quant/absmax";
import { encodeAffine } from "#quant/affine";
import type { Scales } from "#quant/decoding";
import type { IntegerDType } from "#quant/dtype";
import type { Granularity } from "#quant/granularity";
import { noArgument, ownFlags } from "#quant/ownFlags";
import { powerScales } from "#quant/quantizers/mx/mx";
import { quantizer } from "#quant/types";

/** Bits of magnitude, which with the sign make a code. */
const magnitudeBits = { mx4: 2, mx6: 4, mx9: 7 } as const;

const pairs: Granularity = { per: "group", axis: 1, size: 2 };
const blocks: Granularity = { per: "group", axis: 1, size: 16 };

export const microexponent = quantizer<keyof typeof magnitudeBits>({
  name: "microexponent",
  title: "Integers in blocks of 16 that share a power of two, which each pair may halve with a bit of its own.",
  sources: ["Rouhani et al. 2023, arXiv 2302.08007"],
  examples: Object.keys(magnitudeBits),
  parse(text) {
    if (!Object.hasOwn(magnitudeBits, text.name)) return undefined;
    noArgument(text);
    ownFlags(text);
    return text.name as keyof typeof magnitudeBits;
  },
  text: (name) => name,
  nominalBits: (name) => magnitudeBits[name] + 1,
  quantize(x, name) {
    const { values, rows, columns } = x;
    const m = magnitudeBits[name];
    const outer = powerScales(x, blocks, m - 1);
    const greatest = absmax(values, [rows, columns], pairs);
    const perRow = Math.ceil(columns / 2);
    const blocksPerRow = Math.ceil(columns / 16);
    const scale = greatest.map((amax, i) => {
      const shared = outer.values[Math.floor(i / perRow) * blocksPerRow + Math.floor((i % perRow) / 8)];
      // below 2^E no pair needs the upper half of the range
      return amax < shared * 2 ** (m - 1) ? shared / 2 : shared;
    });
    const storedScale: Scales = { granularity: pairs, values: scale, dtype: "float1e1m0", outer };
    const decoding = {
      kind: "affine",
      dtype: `int${m + 1}` as IntegerDType,
      granularity: pairs,
      scale,
      zeroPoint: null,
      storedScale,
    } as const;
    const codes = encodeAffine(values, [rows, columns], decoding, { symmetric: true });
    return { scheme: name, rows, columns, codes: Int8Array.from(codes), decoding };
  },
});
