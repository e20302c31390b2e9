import { evaluate } from "#cli/evaluate";
import type { Parsed } from "#cli/options";

/** `evaluate`, whose product is the HTML file. */
export function report(model: string, parsed: Parsed): Promise<void> {
  return evaluate(model, { ...parsed, html: parsed.html ?? `${model.replace(/\.onnx$/i, "")}.report.html` });
}
