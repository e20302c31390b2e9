/** What the words after an option must be. */
import { InvalidArgumentError } from "commander";

export function wholeNumber(text: string): number {
  const n = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(n) && n >= 0) return n;
  throw new InvalidArgumentError("It must be a whole number.");
}

export function positive(text: string): number {
  const n = wholeNumber(text);
  if (n > 0) return n;
  throw new InvalidArgumentError("It must be above 0.");
}

export function fraction(text: string): number {
  const x = Number(text);
  if (text.trim() !== "" && x >= 0 && x <= 1) return x;
  throw new InvalidArgumentError("It must be a share between 0 and 1.");
}

export function number(text: string): number {
  const x = Number(text);
  if (text.trim() !== "" && Number.isFinite(x)) return x;
  throw new InvalidArgumentError("It must be a number.");
}

export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
