/**
 * How many columns of a terminal a text takes: two for East Asian wide characters and emoji, none for combining marks
 * (Unicode Standard Annex #11). The text is `visible` already.
 */
export function columns(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += mark.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

const mark = /\p{M}/u;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** The text with spaces up to `width` columns, on its left or its right. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const spaces = " ".repeat(Math.max(0, width - columns(text)));
  return align === "left" ? text + spaces : spaces + text;
}

/**
 * Lines of at most `width` columns, broken at spaces but not between a number and its unit; a longer word stands
 * alone.
 */
export function wrap(text: string, width: number, measure: (text: string) => number = columns): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of unbroken(text).split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && measure(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return (line === "" ? lines : [...lines, line]).map((each) => each.replaceAll("\u00a0", " "));
}

/** The text with no-break spaces where a line should not end: between a number and its unit. */
export function unbroken(text: string): string {
  return text.replace(
    /(\d|∞|±) (?=[%±]|[kMGT]?B\b|[mµn]?[sJ]\b|points?\b|dB\b|samples?\b|warnings?\b|\d)/g,
    "$1\u00a0",
  );
}
