/**
 * What one tensor should become. Written and read as `dtype[/granularity][/flag…]`, the notation of the command line:
 * `int8/channel`, `int4/group:32`, `uint8/asymmetric`, `int8/tensor/percentile:99.99`, `float16`, `float`.
 */
import { LowbitError } from "#base/errors";
import { type DTypeName, dtype, dtypes } from "#quant/dtype";

/** How the range that the codes span is chosen from the data. */
export type RangeRule =
  | { readonly by: "minmax" }
  /** Mean of each sample's extremes: one wild sample moves it little. */
  | { readonly by: "average" }
  /** Leaves out (100 − p) % of the values, half at each end. */
  | { readonly by: "percentile"; readonly p: number }
  /** Least mean squared error of the rounded and clipped values. */
  | { readonly by: "mse" }
  /** Least Kullback–Leibler divergence between the distributions before and after. */
  | { readonly by: "entropy" }
  /** Closed form for a Laplace or Gauss distribution, whichever fits better. */
  | { readonly by: "aciq" };

export type ScaleSharing =
  | { readonly per: "tensor" }
  | { readonly per: "channel" }
  | { readonly per: "group"; readonly size: number };

export interface Scheme {
  readonly dtype: DTypeName;
  /** Where the axis matters the operator knows it: output channels for weights, the reduction axis for groups. */
  readonly granularity: ScaleSharing;
  /** Zero point fixed at 0 (signed) or mid-range (unsigned). */
  readonly symmetric: boolean;
  readonly range: RangeRule;
}

/** `float` (leave as it is) is null. */
export function parseScheme(text: string): Scheme | null {
  const [name, ...flags] = text.trim().split("/");
  if (name === "float" && flags.length === 0) return null;
  const row = dtype(name);
  let granularity: ScaleSharing = { per: "tensor" };
  let symmetric = row.signed;
  let range: RangeRule = { by: "minmax" };
  for (const flag of flags) {
    const [word, value] = flag.split(":");
    if (word === "tensor" || word === "channel") granularity = { per: word };
    else if (word === "group") granularity = { per: "group", size: positiveInteger(value, text) };
    else if (word === "symmetric") symmetric = true;
    else if (word === "asymmetric") symmetric = false;
    else if (word === "percentile") range = { by: "percentile", p: percent(value ?? "99.99", text) };
    else if (word === "minmax" || word === "average" || word === "mse" || word === "entropy" || word === "aciq")
      range = { by: word };
    else
      throw new LowbitError(
        "usage/scheme",
        `"${flag}" in "${text}" is not a granularity, a range rule or symmetric/asymmetric`,
        { hint: "for example int8/channel, int4/group:32/asymmetric, uint8/percentile:99.99" },
      );
  }
  return { dtype: row.name, granularity, symmetric, range };
}

/** The shortest text that `parseScheme` reads back to the same scheme. */
export function schemeText(scheme: Scheme | null): string {
  if (scheme === null) return "float";
  const { granularity, range } = scheme;
  const parts: string[] = [scheme.dtype];
  if (granularity.per !== "tensor")
    parts.push(granularity.per === "group" ? `group:${granularity.size}` : granularity.per);
  if (scheme.symmetric !== dtypes.get(scheme.dtype)?.signed) parts.push(scheme.symmetric ? "symmetric" : "asymmetric");
  if (range.by !== "minmax") parts.push(range.by === "percentile" ? `percentile:${range.p}` : range.by);
  return parts.join("/");
}

function positiveInteger(value: string | undefined, text: string): number {
  const n = Number(value);
  if (value !== undefined && Number.isInteger(n) && n > 0) return n;
  throw new LowbitError("usage/scheme", `"${text}": a group needs a positive size`, {
    hint: "for example int4/group:32",
  });
}

function percent(value: string, text: string): number {
  const p = Number(value);
  if (p > 50 && p <= 100) return p;
  throw new LowbitError("usage/scheme", `"${text}": a percentile lies between 50 and 100`, {
    hint: "for example uint8/percentile:99.99",
  });
}
