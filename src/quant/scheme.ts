/**
 * What one tensor should become on a linear scale. Written and read as `dtype[/granularity][/flag…]`, the notation of the
 * command line: `int8/channel`, `int4/group:32`, `uint8/asymmetric`, `int8/percentile:99.99`, `int4/group:32/mse/pow2`, `float16`,
 * `float`. In any order; one word of each kind.
 */
import { LowbitError } from "#base/errors";
import { type DType, type DTypeName, dtype, dtypes } from "#quant/dtype";

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
  | { readonly by: "aciq" }
  /** The clip that balances clipping against rounding error, by a fixed-point iteration on the values themselves. */
  | { readonly by: "octav" };

export type ScaleSharing =
  | { readonly per: "tensor" }
  | { readonly per: "channel" }
  | { readonly per: "group"; readonly size: number }
  | { readonly per: "block"; readonly rows: number; readonly columns: number }
  /** A row of activations: what one token, or one sample, holds. */
  | { readonly per: "token" };

export interface Scheme {
  readonly dtype: DTypeName;
  /** Where the axis matters the operator knows it: output channels for weights, the reduction axis for groups. */
  readonly granularity: ScaleSharing;
  /** Zero point fixed at 0 (signed) or mid-range (unsigned). One bit has no such form. */
  readonly symmetric: boolean;
  /** Symmetric codes use the lowest one too (int8: −128), which costs the highest value a step. */
  readonly full: boolean;
  readonly range: RangeRule;
  /** Scales are powers of two, stored as exponents of 8 bits. */
  readonly powerOfTwo: boolean;
  /** Rounds up as often as a value lies far up between two codes, so that errors are 0 on average; else to the nearest. */
  readonly stochastic: boolean;
}

/** `float` (leave as it is) is null. Throws usage/scheme. */
export function parseScheme(text: string): Scheme | null {
  const [name, ...flags] = text.trim().split("/");
  if (name === "float" && flags.length === 0) return null;
  const row = dtype(name);
  const wish: { -readonly [Part in keyof Scheme]?: Scheme[Part] } = {};
  for (const flag of flags) {
    const [word, ...rest] = flag.split(":");
    const read = Object.hasOwn(words, word) ? words[word] : undefined;
    if (read === undefined) throw wrong(text, `"${flag}" is not a granularity, a range rule or another flag`);
    const part = read(rest.join(":"), text);
    const [kind] = Object.keys(part) as (keyof Scheme)[];
    if (wish[kind] !== undefined) throw wrong(text, `"${flag}" says again what another flag says`);
    Object.assign(wish, part);
  }
  return checked({ ...defaults, dtype: row.name, symmetric: symmetricByDefault(row), ...wish }, text);
}

/** The shortest text that `parseScheme` reads back to the same scheme. */
export function schemeText(scheme: Scheme | null): string {
  if (scheme === null) return "float";
  const { granularity, range, symmetric } = scheme;
  const parts: string[] = [scheme.dtype];
  if (granularity.per === "group") parts.push(`group:${granularity.size}`);
  else if (granularity.per === "block") parts.push(`block:${granularity.rows}x${granularity.columns}`);
  else if (granularity.per !== "tensor") parts.push(granularity.per);
  if (symmetric !== symmetricByDefault(dtype(scheme.dtype))) parts.push(symmetric ? "symmetric" : "asymmetric");
  if (scheme.full) parts.push("full");
  if (range.by !== "minmax") parts.push(range.by === "percentile" ? `percentile:${range.p}` : range.by);
  if (scheme.powerOfTwo) parts.push("pow2");
  if (scheme.stochastic) parts.push("stochastic");
  return parts.join("/");
}

const defaults = {
  granularity: { per: "tensor" },
  full: false,
  range: { by: "minmax" },
  powerOfTwo: false,
  stochastic: false,
} as const;

type Read = (value: string, text: string) => Partial<Scheme>;

/** What each flag's word sets; each sets one part. */
const words: Readonly<Record<string, Read>> = {
  tensor: plain({ granularity: { per: "tensor" } }),
  channel: plain({ granularity: { per: "channel" } }),
  token: plain({ granularity: { per: "token" } }),
  group: (value, text) => ({ granularity: { per: "group", size: positiveInteger(value, text) } }),
  block: (value, text) => {
    const [rows, columns, ...rest] = value.split("x");
    if (rest.length > 0) throw wrong(text, `blocks have two sides, not ${rest.length + 2}`);
    return {
      granularity: { per: "block", rows: positiveInteger(rows, text), columns: positiveInteger(columns ?? "", text) },
    };
  },
  symmetric: plain({ symmetric: true }),
  asymmetric: plain({ symmetric: false }),
  full: plain({ full: true }),
  percentile: (value, text) => ({ range: { by: "percentile", p: percent(value === "" ? "99.99" : value, text) } }),
  minmax: plain({ range: { by: "minmax" } }),
  average: plain({ range: { by: "average" } }),
  mse: plain({ range: { by: "mse" } }),
  entropy: plain({ range: { by: "entropy" } }),
  aciq: plain({ range: { by: "aciq" } }),
  octav: plain({ range: { by: "octav" } }),
  pow2: plain({ powerOfTwo: true }),
  stochastic: plain({ stochastic: true }),
};

function plain(part: Partial<Scheme>): Read {
  return (value, text) => {
    if (value === "") return part;
    throw wrong(text, `":${value}" belongs to a flag that takes no value`);
  };
}

/** Two codes cannot lie on both sides of 0 and hold it. */
function symmetricByDefault({ signed, bits }: DType): boolean {
  return signed && bits > 1;
}

function checked(scheme: Scheme, text: string): Scheme {
  const row = dtypes.get(scheme.dtype);
  const { granularity, range, symmetric, full } = scheme;
  if (row?.bits === 1 && symmetric)
    throw wrong(
      text,
      "one bit codes 0 and one other value, so it is never symmetric",
      "binary has the codes −1 and +1",
    );
  if (full && !symmetric) throw wrong(text, "full is about symmetric codes; asymmetric ones are always all used");
  if (range.by === "entropy" && (granularity.per === "group" || granularity.per === "block"))
    throw wrong(text, "entropy compares distributions, and a group has too few values for one", "take mse or octav");
  return scheme;
}

function positiveInteger(value: string, text: string): number {
  const n = Number(value);
  if (value !== "" && Number.isInteger(n) && n > 0) return n;
  throw wrong(text, `"${value}" is no positive size`);
}

function percent(value: string, text: string): number {
  const p = Number(value);
  if (p > 50 && p <= 100) return p;
  throw wrong(text, "a percentile lies between 50 and 100", "for example uint8/percentile:99.99");
}

function wrong(text: string, message: string, hint?: string): LowbitError {
  return new LowbitError("usage/scheme", `${text}: ${message}`, {
    hint: hint ?? "for example int8/channel, int4/group:32/asymmetric, int4/block:16x16/mse, uint8/percentile:99.99",
  });
}
