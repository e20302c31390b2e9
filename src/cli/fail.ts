import { CommanderError } from "commander";
import { LowbitError, visible } from "#node";

/** Tells an error to the person (stderr) or the program (`--json`: stdout) and returns the exit code. */
export function fail(error: unknown, json: boolean): number {
  // what commander found it has told already; asking for help or the version is no error
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof LowbitError) {
    if (json) process.stdout.write(`${JSON.stringify({ error: error.toJSON() })}\n`);
    else process.stderr.write(errorText(error));
    return error.exitCode;
  }
  const bug = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${bug}\n\nThis is a bug in lowbit. Please report it with the command and the text above.\n`);
  return 1;
}

/** → "error onnx/truncated: …  (model.onnx, tensor conv1.weight, byte 88214)" and the hint below. */
export function errorText({ code, message, at, hint }: LowbitError): string {
  const places = Object.entries(at)
    .filter(([, value]) => value !== undefined && value !== "" && !message.includes(String(value)))
    .map(([key, value]) => (key === "file" ? String(value) : `${key} ${value}`));
  const where = places.length === 0 ? "" : `  (${places.join(", ")})`;
  const lines = [`error ${code}: ${message}${where}`, `hint: ${hint}`];
  // names in files may hold terminal escapes
  return `${lines.map(visible).join("\n")}\n`;
}
