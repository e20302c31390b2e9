import { readText } from "#cli/options";
import { print, terminal } from "#cli/show";
import { compareText, parseReport, readReportHtml, type Report } from "#node";

export async function compare(a: string, b: string): Promise<void> {
  print(compareText(await readReport(a), await readReport(b), terminal()));
}

async function readReport(path: string): Promise<Report> {
  const text = await readText(path, "report");
  return text.trimStart().startsWith("<") ? readReportHtml(text, path) : parseReport(text, path);
}
