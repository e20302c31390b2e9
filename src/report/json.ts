/**
 * The report as JSON, so that what is read back equals what was written. JSON has no infinities, and a layer that is
 * bit-exact has ∞ dB: they are written as 1e999, which is valid JSON and which JSON.parse reads as Infinity. NaN
 * becomes null.
 */
import { LowbitError } from "#base/errors";
import { reportSchema } from "#report/schema";
import type { Report } from "#report/types";
import * as v from "valibot";

/** The report on one line; `indent` spaces make it readable. */
export function reportJson(report: Report, indent = 0): string {
  return write(report, indent, "\n");
}

/**
 * Reads a report and checks its shape. Throws `report/malformed` with the path of the first field that is wrong.
 * `file` is the name for errors.
 */
export function parseReport(text: string, file = "report"): Report {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw malformed(file, "it is no JSON", cause);
  }
  const result = v.safeParse(reportSchema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw malformed(file, `${v.getDotPath(issue) ?? "the top level"}: ${issue.message}`);
}

export function malformed(file: string, what: string, cause?: unknown): LowbitError {
  return new LowbitError("report/malformed", `${file} is not a report of version 1: ${what}`, {
    at: { file },
    hint: "pass what `lowbit … --json` or `lowbit report --html` wrote",
    cause,
  });
}

function write(value: unknown, indent: number, newline: string): string {
  if (value === Number.POSITIVE_INFINITY) return "1e999";
  if (value === Number.NEGATIVE_INFINITY) return "-1e999";
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const deeper = newline + " ".repeat(indent);
  const join = (items: readonly string[], open: string, close: string) => {
    if (items.length === 0 || indent === 0) return open + items.join(",") + close;
    return `${open}${deeper}${items.join(`,${deeper}`)}${newline}${close}`;
  };
  if (Array.isArray(value))
    return join(
      value.map((item) => write(item, indent, deeper)),
      "[",
      "]",
    );
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  const colon = indent === 0 ? ":" : ": ";
  return join(
    fields.map(([key, field]: [string, unknown]) => JSON.stringify(key) + colon + write(field, indent, deeper)),
    "{",
    "}",
  );
}
