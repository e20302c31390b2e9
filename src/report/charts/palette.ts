/**
 * The colours of all pictures, by what they mean. The hues are Okabe and Ito's ("Color Universal Design", 2008), told
 * apart with every common colour blindness; float is always grey. Nothing is said by colour alone: position, shape or
 * words say it too.
 *
 * Written as plain rules with a dark variant, without CSS variables inside, so that an SVG file is also right in the
 * many programs that know neither (librsvg, Inkscape, printers). A page may restyle the classes.
 */
export interface Shade {
  readonly light: string;
  readonly dark: string;
}

export const palette = {
  ink: { light: "#1b1f24", dark: "#e6e9ed" },
  muted: { light: "#5b6470", dark: "#9ba5b1" },
  grid: { light: "#e4e7eb", dark: "#2c333b" },
  surface: { light: "#ffffff", dark: "#14181d" },
  float: { light: "#b4bbc5", dark: "#66707d" },
  quantized: { light: "#0072b2", dark: "#56b4e9" },
  worst: { light: "#c24e00", dark: "#f5a04c" },
  good: { light: "#007a59", dark: "#3ccf9f" },
} as const satisfies Record<string, Shade>;

export type Role = keyof typeof palette;

/** The reader's own sans-serif face. */
export const sans = `ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif`;

/** The style sheet of the charts; a page that shows several includes it once. */
export const chartStyle: string = [
  `.lb-chart text{font:12px ${sans};font-variant-numeric:tabular-nums}`,
  `.lb-chart .lb-title{font-size:15px;font-weight:600}`,
  `.lb-chart .lb-strong{font-weight:600}`,
  `.lb-chart .lb-small{font-size:11px}`,
  `.lb-chart .lb-halo{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}`,
  rules("light"),
  `@media screen and (prefers-color-scheme:dark){${rules("dark")}}`,
].join("\n");

function rules(theme: keyof Shade): string {
  const roles = Object.entries(palette).map(
    ([role, shade]) =>
      `.lb-chart .lb-${role}{fill:${shade[theme]}}.lb-chart .lb-${role}-line{stroke:${shade[theme]};fill:none}`,
  );
  const halo = `.lb-chart .lb-halo{stroke:${palette.surface[theme]}}`;
  // what is modelled and not measured is drawn hollow
  const modelled = [
    `.lb-chart .lb-modelled{fill-opacity:.25;stroke-dasharray:3 2;stroke:${palette.quantized[theme]}}`,
    `.lb-chart .lb-float.lb-modelled{stroke:${palette.muted[theme]}}`,
  ];
  const text = `.lb-chart text{fill:${palette.ink[theme]}}.lb-chart text.lb-muted{fill:${palette.muted[theme]}}`;
  return [text, ...roles, halo, ...modelled].join("");
}
