import type { SchemeText } from "#quant/types";

/** Takes `name[:argument][/word[:value]…]` apart. */
export function readSchemeText(text: string): SchemeText {
  const [head, ...rest] = text.trim().split("/").map(cutAtColon);
  return { text, name: head[0], argument: head[1], flags: rest };
}

function cutAtColon(part: string): readonly [word: string, value: string] {
  const at = part.indexOf(":");
  return at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
}
