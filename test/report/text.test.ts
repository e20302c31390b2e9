import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { columns } from "#report/columns";
import { compareText } from "#report/compare";
import { reportMarkdown } from "#report/markdown";
import { reportText } from "#report/text";
import type { Report } from "#report/types";
import { hostileNames } from "../pictures/hostile";
import { fixtureReport } from "./fixtureReport";
import { expectGolden } from "./golden";

const golden = (name: string) => fileURLToPath(new URL(`./golden/${name}`, import.meta.url));

/** The fixture at four bits, timed with four threads. */
const int4: Report = {
  ...fixtureReport,
  output: { ...fixtureReport.output, path: "mobilenetv2-fixture.int4.onnx" },
  size: { ...fixtureReport.size, outputBytes: 2_100_000 },
  quality: { ...fixtureReport.quality!, quantized: 0.688, drop: 0.03, agreement: 0.89, logitSqnrDb: 17.1 },
  speed: { ...fixtureReport.speed!, threads: 4 },
  layers: fixtureReport.layers.map((layer, i) =>
    i % 6 === 0 ? { ...layer, weights: "int4/group:32", sqnrDb: layer.sqnrDb! - 8 - i / 10 } : layer,
  ),
};

const hostile: Report = {
  ...fixtureReport,
  output: { ...fixtureReport.output, path: hostileNames[2] },
  quality: { ...fixtureReport.quality!, data: hostileNames[3] },
  layers: hostileNames.map((name, i) => ({ ...fixtureReport.layers[i], name, cause: name, fix: name, why: name })),
  diagnostics: hostileNames.map((name) => ({
    code: name,
    level: "warning",
    message: name,
    hint: name,
    at: { tensor: name },
  })),
};

/** What may not reach a terminal from a file: controls, except our line feeds, and what turns or hides text. */
const acting = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Takes away the escape sequences that we write, and no others. */
const withoutColor = (text: string) =>
  ["[1m", "[22m", "[2m", "[33m", "[39m"].reduce((rest, code) => rest.replaceAll(`\u001b${code}`, ""), text);

describe("the terminal text", () => {
  test.each([50, 80, 120])("at %i columns reads as it did when a person last looked", (width) => {
    expectGolden(golden(`report-${width}.txt`), reportText(fixtureReport, { width }));
  });

  test.each([50, 80, 120])("keeps within %i columns, all but the command to paste", (width) => {
    const lines = reportText(fixtureReport, { width }).split("\n");
    const command = lines.findIndex((line) => line.startsWith("  lowbit "));
    expect(lines.filter((line, i) => i !== command && columns(line) > width)).toEqual([]);
    expect(lines.slice(command)).toHaveLength(2);
  });

  test("has no escape sequence unless colour is asked for, and then says the same", () => {
    const plain = reportText(fixtureReport);
    const colored = reportText(fixtureReport, { color: true });
    expect(plain).not.toContain("\u001b");
    expect(colored).toContain("\u001b[1m");
    expect(withoutColor(colored)).toBe(plain);
  });

  test("of an enemy's model cannot move the cursor, ring the bell or turn the text around", () => {
    for (const text of [reportText(hostile), compareText(fixtureReport, hostile)]) {
      expect(text).not.toMatch(acting);
      expect(text).toContain("␛[2J");
    }
    expect(withoutColor(reportText(hostile, { color: true }))).not.toMatch(acting);
  });

  test("ends with the command that adds most", () => {
    expect(reportText(fixtureReport).trimEnd().split("\n").at(-1)).toBe(
      "  lowbit report mobilenetv2-fixture.int8.onnx --against models/mobilenetv2-fixture.onnx --data imagenet-fixture --html report.html",
    );
    const unmeasured = {
      ...fixtureReport,
      quality: null,
      output: { ...fixtureReport.output, path: "it's $(rm).onnx" },
    };
    expect(reportText(unmeasured).trimEnd().split("\n").at(-1)).toBe(
      "  lowbit evaluate 'it'\\''s $(rm).onnx' --against models/mobilenetv2-fixture.onnx --data <folder>",
    );
  });
});

describe("the comparison", () => {
  test("of two reports reads as it did when a person last looked", () => {
    expectGolden(golden("compare.txt"), compareText(fixtureReport, int4));
  });

  test("subtracts nothing that was not measured alike, and says what", () => {
    const lines = compareText(fixtureReport, int4).split("\n");
    expect(lines.find((line) => line.startsWith("  speed"))).toMatch(/27\.2 ms {2,}27\.2 ms$/);
    expect(lines.join(" ")).toMatch(/Not measured alike:.*1 thread, .*4 threads/);
    const otherData = { ...int4, quality: { ...int4.quality!, data: "other" } };
    expect(compareText(fixtureReport, otherData)).not.toContain("points");
  });

  test("of a report with itself finds no difference", () => {
    const text = compareText(fixtureReport, fixtureReport);
    expect(text).not.toMatch(/changed most|Not measured|faster|smaller/);
    expect(text).toContain("the same size");
  });
});

describe("the Markdown", () => {
  test("reads as it did when a person last looked", () => {
    expectGolden(golden("report.md"), reportMarkdown(fixtureReport));
  });

  test("keeps hostile names in their cells", () => {
    const text = reportMarkdown({
      ...fixtureReport,
      quality: { ...fixtureReport.quality!, data: "a | b](http://x) <img> `c` @user **d**\n# e" },
    });
    const rows = text.trimEnd().split("\n").slice(2);
    for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(6);
    expect(text).not.toMatch(/http:|<img|(?<!\\)`|@user/);
  });
});
