/** What the words after an option must be. */
import { InvalidArgumentError } from "commander";
import type { FinetuneOptions } from "#node";

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

/** Adds a number to those before it: a decimal, a fraction, a power, inf or nan. → "1/3", "2^-9", "-0.1" */
export function collectNumbers(text: string, before: readonly number[] = []): number[] {
  return [...before, readNumber(text.trim())];
}

function readNumber(text: string): number {
  if (/^[-+]?nan$/i.test(text)) return Number.NaN;
  const endless = /^([-+]?)inf(inity)?$/i.exec(text);
  if (endless !== null) return endless[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const [, left, operator, right] = /^([^/^]+)(?:([/^])(.+))?$/.exec(text) ?? [];
  if (left === undefined) return number(text);
  if (operator === undefined) return number(left);
  return operator === "/" ? number(left) / number(right) : number(left) ** number(right);
}

export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

export interface LayerRule {
  readonly match: string;
  readonly weights: string;
}

/** Adds a rule to those before it. → "layer3.*=kmeans:16" */
export function collectRules(text: string, before: readonly LayerRule[] = []): LayerRule[] {
  const at = text.lastIndexOf("=");
  const [match, weights] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && weights !== "") return [...before, { match, weights }];
  throw new InvalidArgumentError("It must be PATTERN=SCHEME, such as 'layer3.*=kmeans:16'.");
}

const units: Readonly<Record<string, number>> = { "": 1, K: 1e3, M: 1e6, G: 1e9 };

/** → 5GB is 5000000000 */
export function byteCount(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([KMG]?)B?$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * units[unit.toUpperCase()];
  if (digits !== "" && bytes >= 1) return Math.floor(bytes);
  throw new InvalidArgumentError("It must be a size, such as 5GB or 500MB.");
}

type Schedule = NonNullable<FinetuneOptions["schedule"]>;

/** → "step:30:0.2" is a fifth of the rate after every 30 epochs */
export function schedule(text: string): Schedule {
  const [kind, every, factor = "0.1", ...more] = text.split(":");
  if ((kind === "constant" || kind === "linear" || kind === "cosine") && every === undefined) return { kind };
  const step = { kind: "step", everyEpochs: Number(every), factor: Number(factor) } as const;
  if (kind === "step" && step.everyEpochs > 0 && step.factor > 0 && step.factor <= 1 && more.length === 0) return step;
  throw new InvalidArgumentError(
    "It must be constant, linear, cosine, or step:<epochs>[:<factor>], such as step:30:0.1.",
  );
}
