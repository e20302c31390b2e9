import { type Report, reportJson, reportText, visible } from "#node";

export interface ShowOptions {
  readonly json?: boolean;
  /** Where the HTML report lies. */
  readonly html?: string;
}

/** Prints a report as text or JSON. */
export function showReport(report: Report, { json = false, html }: ShowOptions): void {
  if (json) return print(reportJson(report));
  print(reportText(report, terminal()));
  if (html !== undefined) print(`report: ${visible(html)}`);
}

export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Colour and width of the terminal, by the rules of no-color.org. */
export function terminal(): { readonly color: boolean; readonly width: number } {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== "0";
  const color = forced || (process.stdout.isTTY && (NO_COLOR ?? "") === "" && TERM !== "dumb");
  return { color, width: Math.max(60, Math.min(process.stdout.columns ?? 100, 160)) };
}
