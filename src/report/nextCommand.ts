/** Output ends with what to try next. */
import { isRandom } from "#report/metric";
import type { Report } from "#report/types";

/** The command that adds most to what this report knows, ready to paste. */
export function nextCommand({ input, output, quality }: Report): string {
  const models = `${shellWord(output.path)} --against ${shellWord(input.path)}`;
  if (quality === null || isRandom(quality)) return `lowbit evaluate ${models} --data <folder>`;
  return `lowbit report ${models} --data ${shellWord(quality.data)} --html report.html`;
}

/** A word that a POSIX shell takes as it is. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) && !word.startsWith("-") ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
