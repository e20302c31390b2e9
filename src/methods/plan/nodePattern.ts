/**
 * How people name nodes: a glob over node and output names (`features.*`), or `op:Softmax` for a type. A pattern without `*`
 * matches the whole name.
 */
import type { Node } from "#model/model";

export function nodeMatcher(pattern: string): (node: Node) => boolean {
  if (pattern.startsWith("op:")) {
    const op = pattern.slice(3);
    return (node) => node.op === op;
  }
  const matches = globMatcher(pattern);
  return (node) => matches(node.name) || node.outputs.some(matches);
}

/** Whether a text is what a pattern with `*` for anything says. */
export function globMatcher(pattern: string): (text: string) => boolean {
  const parts = pattern.split("*");
  return (text) => {
    if (parts.length === 1) return text === pattern;
    if (!text.startsWith(parts[0]) || !text.endsWith(parts[parts.length - 1])) return false;
    // leftmost match of each middle part leaves the most room for the rest
    let at = parts[0].length;
    for (const part of parts.slice(1, -1)) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at + parts[parts.length - 1].length <= text.length;
  };
}
