/** The frame that every picture shares: size, words, style, and the words again for those who do not see it. */
import { chartStyle } from "#report/charts/palette";
import { textAt } from "#report/charts/textAt";
import { textWidth } from "#report/charts/textWidth";
import { wrap } from "#report/columns";
import { type Markup, markup, nothing, trusted } from "#report/markup";

export interface ChartOptions {
  /** Width in CSS pixels, 240 or more. Default 720. Below 480 names move above their bars, as a phone needs it. */
  readonly width?: number;
  /** Default true: a file of its own, with style and background. False: for a page that has `chartStyle` already. */
  readonly standalone?: boolean;
}

export interface Words {
  readonly title: string;
  /** What to see, in a sentence; broken over lines as the width asks. */
  readonly subtitle: string;
  /** What the picture shows, for screen readers: the figures that matter, in words. */
  readonly description: string;
}

/** What a chart draws below its title, from y = 0 down to `height`. */
export interface Drawing {
  readonly height: number;
  readonly body: Markup;
}

export function svg(words: Words, options: ChartOptions, draw: (width: number) => Drawing): string {
  const width = Math.max(240, options.width ?? 720);
  const standalone = options.standalone ?? true;
  const margin = standalone ? 16 : 0;
  const inner = width - 2 * margin;
  const titles = wrap(words.title, inner, (text) => textWidth(text, 16.5));
  const lines = wrap(words.subtitle, inner, textWidth);
  const top = margin + titles.length * 20 + lines.length * 17 + 10;
  const { height, body } = draw(inner);
  const total = Math.ceil(top + height + margin);
  const namespace = standalone ? markup` xmlns="http://www.w3.org/2000/svg"` : nothing;
  const ground = standalone
    ? markup`<style>${trusted(chartStyle)}</style>
<rect class="lb-surface" width="${width}" height="${total}"/>\n`
    : nothing;
  const size = markup`width="${width}" height="${total}" viewBox="0 0 ${width} ${total}"`;
  return markup`<svg${namespace} class="lb-chart" role="img" ${size}>
<title>${words.title}</title>
<desc>${words.description}</desc>
${ground}<g transform="translate(${margin} ${margin})">
${titles.map((line, i) => textAt(0, 15 + i * 20, line, { kind: "lb-title" }))}
${lines.map((line, i) => textAt(0, titles.length * 20 + 13 + i * 17, line, { kind: "lb-muted" }))}
</g>
<g transform="translate(${margin} ${top})">
${body}
</g>
</svg>
`.markup;
}
