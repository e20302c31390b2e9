/** The few colours of the terminal text; without `color`, nothing. The caller knows about terminals and NO_COLOR. */
export interface Ansi {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  /** For what needs a look. */
  readonly warn: (text: string) => string;
}

export function ansi(color: boolean): Ansi {
  const paint = (on: number, off: number) => (text: string) =>
    color && text.trim() !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return { bold: paint(1, 22), dim: paint(2, 22), warn: paint(33, 39) };
}
