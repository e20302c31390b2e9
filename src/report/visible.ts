/**
 * Text from a model file, made safe to look at. Names of tensors and layers are written by strangers: an escape
 * sequence can repaint a terminal, a right-to-left override can turn `exe.onnx` around, a zero-width space can make
 * two names look the same.
 */
import { ellipsis } from "#report/ellipsis";

const longest = 4096;

/** Control, format, surrogate and separator characters, blank Hangul fillers, what XML 1.0 forbids, marks piled up. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\ufffe\uffff]|\p{M}{3,}/gu;

/**
 * Every character that would act instead of being seen, as a sign for it; a text of more than 4,096 characters (the
 * longest path of Linux) is cut in its middle.
 * → "\x1b[31m" → "␛[31m", "a\u202eb" → "a\u{202e}b"
 */
export function visible(text: string): string {
  return ellipsis(text, longest).replace(unseen, (run) => Array.from(run, sign).join(""));
}

/** Unicode has pictures of the ASCII controls; everything else is named by its code point. */
function sign(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "␡";
  return `\\u{${code.toString(16)}}`;
}

/** The same data with every text in it made visible: what is printed of it afterwards cannot act on a terminal. */
export function visibleDeep<T>(data: T): T;
export function visibleDeep(data: unknown): unknown {
  if (typeof data === "string") return visible(data);
  if (Array.isArray(data)) return data.map((item: unknown) => visibleDeep(item));
  if (data === null || typeof data !== "object") return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]: [string, unknown]) => [key, visibleDeep(value)]));
}
