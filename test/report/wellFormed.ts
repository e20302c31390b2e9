/**
 * A small reader of SVG and HTML that forgives nothing: tags balance, attributes are quoted, `<` and `&` occur only as markup,
 * no character is invisible. → the elements, to ask what is in a picture.
 */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Text directly inside, with entities decoded. */
  text: string;
}

/** Elements of HTML that have no end; ours are written without a slash. */
const voids = new Set(["meta", "link", "br", "wbr", "hr", "img"]);

export function readMarkup(source: string): Element[] {
  const elements: Element[] = [];
  const open: Element[] = [];
  const fail = (what: string, at: number): never => {
    throw new Error(`${what} at ${at}: …${source.slice(Math.max(0, at - 60), at + 60)}…`);
  };
  const body = source.replace(/^<!doctype html>/, "");
  // line feeds are ours; no other control or format character may be left
  const bad = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.exec(body.replaceAll("\n", ""));
  if (bad !== null) fail(`invisible character U+${bad[0].codePointAt(0)!.toString(16)}`, bad.index);
  const token = /<(\/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>|[^<]+/y;
  while (token.lastIndex < body.length) {
    const at = token.lastIndex;
    const match = token.exec(body);
    if (match === null) return fail("neither text nor a tag", at);
    const [whole, slash, name, attributes, selfClosing] = match;
    if (name === undefined) {
      const inside = open.at(-1);
      if (inside !== undefined) inside.text += decode(whole, at);
      else if (whole.trim() !== "") fail("text outside", at);
      continue;
    }
    if (slash === "/") {
      if (open.pop()?.name !== name) fail(`</${name}> closes nothing`, at);
      continue;
    }
    const element: Element = { name, attributes: readAttributes(attributes, at), text: "" };
    elements.push(element);
    if (selfClosing === "/" || voids.has(name)) continue;
    open.push(element);
    if (name === "style" || name === "script") {
      const end = body.indexOf(`</${name}>`, token.lastIndex);
      if (end < 0) fail(`<${name}> has no end`, at);
      element.text = body.slice(token.lastIndex, end);
      token.lastIndex = end;
    }
  }
  if (open.length > 0) fail(`<${open.at(-1)!.name}> has no end`, body.length);
  return elements;

  function readAttributes(text: string, at: number): Record<string, string> {
    const found: Record<string, string> = {};
    for (const [, name, value] of text.matchAll(/\s+([\w:-]+)(?:="([^"]*)")?/g)) {
      if (name in found) fail(`attribute ${name} twice`, at);
      found[name] = decode(value ?? "", at);
    }
    return found;
  }

  function decode(text: string, at: number): string {
    return text.replace(/&(#39|amp|lt|gt|quot)?(;?)/g, (whole, name: string | undefined, semicolon) => {
      if (name === undefined || semicolon !== ";") fail(`stray ${whole}`, at);
      return { "#39": "'", amp: "&", lt: "<", gt: ">", quot: '"' }[name!]!;
    });
  }
}
