import { CommanderError } from "commander";
import { LowbitError, visible } from "#node";

/** Tells an error to the person (stderr) or the program (`--json`: stdout) and returns the exit code. */
export function fail(error: unknown, json: boolean): number {
  // asking for help or the version is no error, and `lowbit` alone has been answered with the help
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  if (error instanceof CommanderError && error.code === "commander.help") return 2;
  if (error instanceof CommanderError) return fail(usageError(error), json);
  if (error instanceof LowbitError) {
    if (json) process.stdout.write(`${JSON.stringify({ error: error.toJSON() })}\n`);
    else process.stderr.write(errorText(error));
    return error.exitCode;
  }
  const bug = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${bug}\n\nThis is a bug in lowbit. Please report it with the command and the text above.\n`);
  return 1;
}

/** What commander found wrong with the command. */
function usageError({ message }: CommanderError): LowbitError {
  const what = message.replace(/^error: /, "").replace(/\n/g, " ");
  return new LowbitError("usage/argument", what, { hint: "lowbit <command> --help shows what there is" });
}

/** → "error onnx/truncated: …  (model.onnx, tensor conv1.weight, byte 88214)" and the hint below. */
export function errorText({ code, message, at, hint }: LowbitError): string {
  const places = Object.entries(at)
    .map(([key, value]) => [key === "file" ? "" : `${key} `, String(value)])
    .filter(([key, value]) => value !== "" && !names(message, value === String(Number(value)) ? key + value : value))
    .map((parts) => parts.join(""));
  const where = places.length === 0 ? "" : `  (${places.join(", ")})`;
  const lines = [`error ${code}: ${message}${where}`, `hint: ${hint}`];
  // names in files may hold terminal escapes
  return `${lines.map(visible).join("\n")}\n`;
}

/** Whether a text holds a word, not just its letters. */
function names(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!/\w/.test(text.charAt(at - 1)) && !/\w/.test(text.charAt(at + word.length))) return true;
  }
  return false;
}
