/**
 * SVG and HTML that cannot be broken by what is put into them. What a template interpolates is text, and is escaped;
 * only what a template made is markup. Text is made `visible` too: there is no way around it, so nothing can be
 * forgotten.
 *
 *   markup`<text x="${x}">${tensor.name}</text>`
 */
import { visible } from "#report/visible";

/** Made by `markup` and `trusted`, and nothing else. */
export interface Markup {
  readonly markup: string;
}

/** Coordinates are rounded to two digits, so that pictures have the same bytes everywhere. */
export type Content = string | number | Markup | readonly Content[];

export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let text = strings[0];
  for (let i = 0; i < values.length; i++) text += write(values[i]) + strings[i + 1];
  return { markup: text };
}

/** Markup that this program wrote itself: a style sheet, a picture. Never anything from a file. */
export function trusted(text: string): Markup {
  return { markup: text };
}

/** Nothing, where an optional part is left out. */
export const nothing: Markup = { markup: "" };

function write(content: Content): string {
  if (typeof content === "string") return escape(content);
  if (typeof content === "number") return coordinate(content);
  return "markup" in content ? content.markup : content.map(write).join("");
}

function escape(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => entities[character]);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function coordinate(x: number): string {
  if (!Number.isFinite(x)) throw new RangeError(`${x} is no coordinate`);
  return String(Number(x.toFixed(2)));
}
