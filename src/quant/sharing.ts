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

const sharingWords = ["tensor", "channel", "group:N"];

/**
 * Reads a scheme's flags: who shares, by default the whole tensor, and the quantizer's own. Those are named as they are written,
 * `optimal`, or `max:T` with a value. Throws usage/scheme for others.
 */
export function readFlags(
  scheme: SchemeText,
  own: readonly string[] = [],
): { readonly sharing: Sharing; readonly own: ReadonlyMap<string, string> } {
  const found = readFlagsOf(scheme, [...sharingWords, ...own]);
  const sharers = (["tensor", "channel", "group"] as const).filter((word) => found.has(word));
  if (sharers.length > 1)
    throw new LowbitError("usage/scheme", `"${scheme.text}": ${sharers.join(" and ")} exclude each other`);
  const per = sharers[0] ?? "tensor";
  const size = found.get("group") ?? "";
  return {
    sharing: per === "group" ? { per, size: positiveInteger(size, "a group's size", scheme.text) } : { per },
    own: found,
  };
}

/** Flags and their values, "" without one; usage/scheme for a flag that is not among `words`, or twice. */
export function readFlagsOf({ text, flags }: SchemeText, words: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [word, value] of flags) {
    const form = words.find((known) => known.split(":")[0] === word);
    if (form === undefined || found.has(word) || form.includes(":") !== (value !== ""))
      throw new LowbitError("usage/scheme", `"${text}": /${word}${value === "" ? "" : `:${value}`} says nothing here`, {
        hint:
          words.length === 0
            ? "it takes no flags"
            : `flags, once each: ${words.map((known) => `/${known}`).join(", ")}`,
      });
    found.set(word, value);
  }
  return found;
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
