import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columns, pad, wrap } from "#report/columns";
import { ellipsis } from "#report/ellipsis";
import { markup, trusted } from "#report/markup";
import { markdownText } from "#report/table";
import { visible, visibleDeep } from "#report/visible";

const acting = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const anyText = fc.string({ unit: "binary", maxLength: 200 });

describe("a text from a file", () => {
  test("shows its controls as signs", () => {
    expect(visible("\u001b[31m\u0000\t\n\u007f\u0085")).toBe("␛[31m␀␉␊␡\\u{85}");
    expect(visible("a\u202eb\u2066c\u200bd\ufeff\u{e0041}")).toBe("a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}\\u{e0041}");
    expect(visible("half \ud83d")).toBe("half \\u{d83d}");
    expect(visible("naïve 层 😀 é")).toBe("naïve 层 😀 é");
  });

  test("cannot act, whatever it is", () => {
    fc.assert(fc.property(anyText, (text) => !acting.test(visible(text)) && visible(visible(text)) === visible(text)));
  });

  test("cannot act wherever it is in a report", () => {
    expect(visibleDeep({ a: ["\u0007", { b: "\u202e" }], n: 1, z: null })).toEqual({
      a: ["␇", { b: "\\u{202e}" }],
      n: 1,
      z: null,
    });
  });

  test("cannot leave its place in markup", () => {
    expect(markup`<a title="${`"'`}">${"<b>&"}</a>`.markup).toBe('<a title="&quot;&#39;">&lt;b&gt;&amp;</a>');
    fc.assert(fc.property(anyText, (text) => !/[<>"']|&(?!(amp|lt|gt|quot|#39);)/.test(markup`${text}`.markup)));
  });

  test("cannot leave its place in Markdown", () => {
    expect(markdownText("a|b`c`<d>[e](http://f)")).toBe("a\\|b\\`c\\`&lt;d>\\[e\\](http&#58;//f)");
  });
});

describe("markup", () => {
  test("nests, joins lists, rounds coordinates, and trusts only what is said to be", () => {
    expect(markup`<g>${[markup`<i x="${1 / 3}"/>`, trusted("<b/>")]}</g>`.markup).toBe('<g><i x="0.33"/><b/></g>');
    expect(markup`${-0.001}`.markup).toBe("0");
  });

  test("refuses coordinates that are no numbers", () => {
    expect(() => markup`${Number.NaN}`).toThrow(RangeError);
  });
});

describe("a text cut to fit", () => {
  test("loses its middle, and keeps more of its end", () => {
    expect(ellipsis("features.12.conv.0.weight", 16)).toBe("feature…0.weight");
    expect(ellipsis("short", 16)).toBe("short");
    expect(ellipsis("abc", 1)).toBe("…");
  });

  test("fits, in characters or columns, and never cuts a character in two", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 60 }), (text, room) => {
        const cut = ellipsis(visible(text), room, columns);
        return columns(cut) <= room && !/\p{Cs}/u.test(cut);
      }),
    );
  });

  test("of a megabyte is measured by its ends only, and a few times", () => {
    const measured: number[] = [];
    const cut = ellipsis(
      `start${"/very/long".repeat(100_000)}/end`,
      11,
      (text) => measured.push(text.length) && text.length,
    );
    expect(cut).toBe("start…g/end");
    expect(measured.length).toBeLessThan(20);
    expect(Math.max(...measured)).toBeLessThan(5000);
  });
});

describe("columns of a terminal", () => {
  test("wide characters take two, marks none", () => {
    expect(["abc", "层", "😀", "e\u0301", "−∞ dB"].map(columns)).toEqual([3, 2, 2, 1, 5]);
    expect([pad("层", 4), pad("7", 3, "right")]).toEqual(["层  ", "  7"]);
  });

  test("lines break at spaces, but not before a unit", () => {
    expect(wrap("a drop of 0.9 points", 14)).toEqual(["a drop of", "0.9 points"]);
    expect(wrap("", 10)).toEqual([]);
    expect(wrap("unbreakable words", 4)).toEqual(["unbreakable", "words"]);
  });
});
