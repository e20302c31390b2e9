import { print, terminal } from "#cli/show";
import { formats as describe, formatsText } from "#node";

export function formats(
  numbers: readonly number[],
  { format, json }: { readonly format?: string; readonly json?: boolean },
): void {
  const report = describe({
    numbers,
    ...(format === undefined ? {} : { names: format.split(",").map((name) => name.trim()) }),
  });
  // JSON has no NaN and no infinities: they are the strings "NaN", "Infinity" and "-Infinity"
  const whole = (_: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isFinite(value) ? `${value}` : value;
  print(json === true ? JSON.stringify(report, whole) : formatsText(report, terminal()));
}
