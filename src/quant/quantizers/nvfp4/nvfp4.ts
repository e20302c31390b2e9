/**
 * NVFP4: float4e2m1 in blocks of 16, each with a float8e4m3fn scale, and all of a tensor with one float32.
 *
 *   S = max|x| / (6 · 448);  s = e4m3(max₁₆|x| / 6 / S), at least its least, 2⁻⁹;  x̂ = (s·S) · e2m1(x / (s·S))
 *
 * 6 and 448 are the largest numbers of the two formats. `/one-level` leaves S out (S = 1): files of some tools have no place for
 * it; then blocks beyond 6 · 448 do not fit. (NVIDIA, "Introducing NVFP4", 2025; Pretraining LLMs with NVFP4, arXiv 2509.25149.)
 */
import { LowbitError } from "#base/errors";
import { encodeMinifloat, decodeMinifloat, float4e2m1, float8e4m3fn, maxFinite } from "#math/minifloat";
import { absmax, absmaxScale } from "#quant/absmax";
import type { Scales } from "#quant/decoding";
import { dtype, type FloatRow } from "#quant/dtype";
import { floatLookup } from "#quant/floatLookup";
import type { Granularity } from "#quant/granularity";
import { noArgument, ownFlags } from "#quant/ownFlags";
import { quantizer } from "#quant/types";

interface Nvfp4Scheme {
  readonly oneLevel: boolean;
}

const block: Granularity = { per: "group", axis: 1, size: 16 };
const element = dtype("float4e2m1") as FloatRow; // its row in the table is one of floats
const largest = maxFinite(float4e2m1);
const largestScale = maxFinite(float8e4m3fn);

export const nvfp4 = quantizer<Nvfp4Scheme>({
  name: "nvfp4",
  title: "Four-bit floats in blocks of 16, each with an eight-bit float as its scale.",
  sources: ["NVIDIA 2025, arXiv 2509.25149"],
  examples: ["nvfp4"],
  parse(text) {
    if (text.name !== "nvfp4") return undefined;
    noArgument(text);
    return { oneLevel: ownFlags(text, ["one-level"]).has("one-level") };
  },
  text: schemeText,
  nominalBits: () => 4,
  quantize(x, scheme) {
    const shape = [x.rows, x.columns];
    const greatest = absmax(x.values, shape, block);
    const all = greatest.reduce((a, b) => Math.max(a, b), 0);
    if (scheme.oneLevel && all > largest * largestScale)
      throw new LowbitError("quant/scheme", `values up to ${all} do not fit blocks without a scale for the tensor`, {
        hint: `nvfp4 has one; without it blocks reach ${largest * largestScale}`,
      });
    const whole = scheme.oneLevel ? 1 : absmaxScale(all, largest * largestScale);
    const values = greatest.map((amax) => {
      const code = encodeMinifloat(float8e4m3fn, Math.fround(Math.fround(amax / largest) / whole));
      return decodeMinifloat(float8e4m3fn, Math.max(code, 1)) * whole;
    });
    const outer: Scales = { granularity: { per: "tensor" }, values: Float32Array.of(whole) };
    const scale: Scales = { granularity: block, values, dtype: "float8e4m3fn" };
    return floatLookup(x, schemeText(scheme), element, scheme.oneLevel ? scale : { ...scale, outer });
  },
});

function schemeText({ oneLevel }: Nvfp4Scheme): string {
  return oneLevel ? "nvfp4/one-level" : "nvfp4";
}
