import { writeFile } from "node:fs/promises";
import { LowbitError, type Report, reportHtml, reportJson, reportText } from "#node";

export interface ShowOptions {
  readonly json?: boolean;
  readonly html?: string;
}

/** Prints a report as text or JSON, and writes it as HTML where asked. */
export async function showReport(report: Report, { json = false, html }: ShowOptions): Promise<void> {
  if (html !== undefined) {
    await writeFile(html, reportHtml(report)).catch((cause: unknown) => {
      const hint = "choose another path with --html";
      throw new LowbitError("io/write", `${html} cannot be written`, { at: { file: html }, hint, cause });
    });
  }
  if (json) return print(reportJson(report));
  print(reportText(report, terminal()));
  if (html !== undefined) print(`report: ${html}`);
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
