import { type Markup, markup } from "#report/markup";

export interface TextStyle {
  /** Classes of `chartStyle`, as "lb-muted lb-small". Default plain ink. */
  readonly kind?: string;
  /** Which end of the text stands at x. Default its start. */
  readonly anchor?: "start" | "middle" | "end";
}

/** A line of text with its baseline at y. */
export function textAt(
  x: number,
  y: number,
  text: string,
  { kind = "lb-ink", anchor = "start" }: TextStyle = {},
): Markup {
  return markup`<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${text}</text>`;
}

/** Axis labels and remarks. */
export const small = "lb-muted lb-small";
