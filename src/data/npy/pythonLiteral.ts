/** A Python literal: a string without escapes, a bool, a whole number ≥ 0, or a tuple, list or dict of those. Dicts become Maps. */
export type PythonLiteral = string | boolean | number | readonly PythonLiteral[] | ReadonlyMap<string, PythonLiteral>;

/**
 * Reads one literal, as NumPy writes it into its headers, strictly from left to right and evaluating nothing. undefined for
 * anything else: calls, escapes, duplicate keys, deep nesting, text behind the end.
 */
export function parsePythonLiteral(text: string): PythonLiteral | undefined {
  let at = 0;
  const accept = (token: string): boolean => {
    while (" \t\r\n".includes(text[at] ?? "x")) at++;
    if (!text.startsWith(token, at)) return false;
    at += token.length;
    return true;
  };
  /** Items up to `close`, separated by commas; a last comma is allowed. */
  const items = (close: string, item: () => boolean): boolean => {
    while (!accept(close)) {
      if (!item()) return false;
      if (!accept(",")) return accept(close);
    }
    return true;
  };
  const quoted = (): string | undefined => {
    const quote = accept("'") ? "'" : accept('"') ? '"' : undefined;
    if (quote === undefined) return undefined;
    const close = text.indexOf(quote, at);
    const inside = text.slice(at, close);
    if (close < 0 || inside.includes("\\")) return undefined;
    at = close + 1;
    return inside;
  };
  const value = (depth: number): PythonLiteral | undefined => {
    if (depth > 8) return undefined;
    if (accept("True")) return true;
    if (accept("False")) return false;
    const tuple = accept("(");
    if (tuple || accept("[")) {
      const list: PythonLiteral[] = [];
      const complete = items(tuple ? ")" : "]", () => {
        const item = value(depth + 1);
        if (item !== undefined) list.push(item);
        return item !== undefined;
      });
      return complete ? list : undefined;
    }
    if (accept("{")) {
      const dict = new Map<string, PythonLiteral>();
      const complete = items("}", () => {
        const key = quoted();
        if (key === undefined || dict.has(key) || !accept(":")) return false;
        const item = value(depth + 1);
        if (item !== undefined) dict.set(key, item);
        return item !== undefined;
      });
      return complete ? dict : undefined;
    }
    const digits = /^[0-9]{1,24}/.exec(text.slice(at, at + 24))?.[0];
    if (digits === undefined) return quoted();
    at += digits.length;
    accept("L"); // Python 2 wrote its long integers so
    return Number(digits);
  };
  const literal = value(0);
  accept("");
  return at === text.length ? literal : undefined;
}
