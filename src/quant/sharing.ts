/** Which weights share a scale, a table or a threshold, as schemes write it: `/tensor`, `/channel`, `/group:32`. */
import { LowbitError } from "#base/errors";
import type { Granularity } from "#quant/granularity";
import type { ScaleSharing } from "#quant/scheme";
import type { SchemeText } from "#quant/types";

export type Sharing =
  | { readonly per: "tensor" }
  /** A row of the matrix. */
  | { readonly per: "channel" }
  /** `size` neighbours of a row. */
  | { readonly per: "group"; readonly size: number };

export interface SchemeFlags {
  /** The last one given; default the tensor. */
  readonly sharing: Sharing;
  /** The quantizer's own flags. */
  readonly own: ReadonlyMap<string, string>;
}

/** Reads a scheme's flags: sharing, and the words of `own`. Throws usage/scheme for others, naming all that there are. */
export function readFlags({ text, flags }: SchemeText, own: readonly string[] = []): SchemeFlags {
  let sharing: Sharing = { per: "tensor" };
  const found = new Map<string, string>();
  for (const [word, value] of flags) {
    if ((word === "tensor" || word === "channel") && value === "") sharing = { per: word };
    else if (word === "group") sharing = { per: "group", size: positiveInteger(value, `a group's size`, text) };
    else if (own.includes(word)) found.set(word, value);
    else
      throw new LowbitError("usage/scheme", `"${text}": /${word}${value === "" ? "" : `:${value}`} is no flag of it`, {
        hint: `its flags are ${["tensor", "channel", "group:N", ...own].map((flag) => `/${flag}`).join(", ")}`,
      });
  }
  return { sharing, own: found };
}

/** → ["group:32"]; nothing for the default. */
export function sharingFlags(sharing: Sharing): string[] {
  if (sharing.per === "tensor") return [];
  return [sharing.per === "group" ? `group:${sharing.size}` : sharing.per];
}

/** Of a matrix: a channel or token is a row, groups lie along it. Without blocks each parameter's elements are one run without gaps. */
export function matrixGranularity(sharing: ScaleSharing): Granularity {
  switch (sharing.per) {
    case "tensor":
      return { per: "tensor" };
    case "channel":
    case "token":
      return { per: "channel", axis: 0 };
    case "group":
      return { per: "group", axis: 1, size: sharing.size };
    case "block":
      return { per: "block", shape: [sharing.rows, sharing.columns] };
  }
}

/** A whole number ≥ 1 that a scheme writes; `what` names it in the error. */
export function positiveInteger(value: string, what: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new LowbitError("usage/scheme", `"${text}": ${what} is a whole number above 0, not "${value}"`);
}
