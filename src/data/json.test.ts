import { describe, expect, test } from "vitest";
import { decodeText, parseJson } from "#data/json";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const at = { file: "x.json" };

describe("JSON from strangers", () => {
  test("reads what JSON is", () => {
    expect(parseJson(bytes('{"a": [1, "]]]]{{{\\"", null]}'), at)).toEqual({ a: [1, ']]]]{{{"', null] });
    expect(parseJson(bytes("\uFEFF[1]"), at)).toEqual([1]);
  });

  test("a million opening brackets are refused before they are parsed", () => {
    const started = performance.now();
    expect(() => parseJson(bytes("[".repeat(1_000_000)), at)).toThrow(
      expect.objectContaining({ code: "data/malformed", at: { file: "x.json", byte: 64 } }),
    );
    expect(performance.now() - started).toBeLessThan(250);
  });

  test("brackets inside strings are no nesting", () => {
    expect(parseJson(bytes(JSON.stringify("[".repeat(1000))), at)).toBe("[".repeat(1000));
  });

  test.each(["", "{", "[1,]", "{'a': 1}", "NaN", '{"a": 1} x'])("%s is refused with the file and the line", (text) => {
    expect(() => parseJson(bytes(text), { file: "x.jsonl", line: 7 })).toThrow(/x\.jsonl, line 7, is not JSON/);
  });

  test("bytes that are not UTF-8 are refused", () => {
    expect(() => decodeText(Uint8Array.of(0x61, 0xff), at)).toThrow(
      expect.objectContaining({ code: "data/malformed" }),
    );
  });

  test("__proto__ is only a key", () => {
    const value = parseJson(bytes('{"__proto__": {"polluted": 1}}'), at) as object;
    expect(Object.hasOwn(value, "__proto__")).toBe(true);
    expect("polluted" in {}).toBe(false);
  });
});
