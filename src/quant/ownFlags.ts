import { LowbitError } from "#base/errors";
import type { SchemeText } from "#quant/types";

/** The flags of a scheme whose name says who shares a scale; usage/scheme for any that is not one of `own`, and for one given twice. */
export function ownFlags({ text, flags }: SchemeText, own: readonly string[] = []): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [word, value] of flags) {
    if (!own.includes(word) || found.has(word))
      throw new LowbitError("usage/scheme", `"${text}": /${word} is no flag of it, or is given twice`, {
        hint: own.length === 0 ? "it takes no flags" : `its flags are ${own.map((flag) => `/${flag}`).join(", ")}`,
      });
    found.set(word, value);
  }
  return found;
}

/** Refuses `name:argument` where the name says all. */
export function noArgument({ text, name, argument }: SchemeText): void {
  if (argument !== "") throw new LowbitError("usage/scheme", `"${text}": ${name} takes nothing after a colon`);
}
