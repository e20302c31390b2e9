import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readReportHtml, reportHtml } from "#report/html";
import { parseReport, reportJson } from "#report/json";
import type { LayerReport, Report } from "#report/types";
import { hostileNames } from "../pictures/hostile";
import { fixtureReport } from "./fixtureReport";
import { expectGolden } from "./golden";
import { readMarkup } from "./wellFormed";

const golden = (name: string) => fileURLToPath(new URL(`./golden/${name}`, import.meta.url));

/** Every text of the report that a file or a person could have chosen, chosen by an enemy. */
const hostileReport: Report = {
  ...fixtureReport,
  tool: hostileNames[0],
  input: { path: hostileNames[2], sha256: hostileNames[1], format: hostileNames[8] },
  output: { path: hostileNames[3], sha256: "0", format: hostileNames[0] },
  recipe: { name: hostileNames[0], "</script>": "<!--<script>" },
  target: hostileNames[1],
  quality: {
    ...fixtureReport.quality!,
    data: hostileNames[0],
    metric: hostileNames[8],
    logitSqnrDb: Number.POSITIVE_INFINITY,
  },
  speed: { ...fixtureReport.speed!, runtime: hostileNames[1] },
  energy: { ...fixtureReport.energy!, model: hostileNames[0] },
  layers: hostileNames.map(
    (name, i): LayerReport => ({
      name,
      op: hostileNames[0],
      weights: hostileNames[1],
      activations: name.slice(0, 1000),
      sqnrDb: [3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, null][i % 4],
      cause: hostileNames[i % 5],
      fix: hostileNames[(i + 1) % 5],
      why: hostileNames[(i + 2) % 5],
    }),
  ),
  histograms: [{ ...fixtureReport.histograms![0], tensor: hostileNames[0], scheme: hostileNames[1] }],
  diagnostics: hostileNames
    .slice(0, 9)
    .map((name) => ({ code: name, level: "warning", message: name, at: { node: name, file: name }, hint: name })),
};

describe("the HTML report", () => {
  const html = reportHtml(fixtureReport);

  test("looks as it did when a person last looked, pictures aside", () => {
    const skeleton = html
      .replace(/<svg[\s\S]*?<\/svg>/g, "<svg></svg>")
      .replace(/(id="lowbit-report">).*(<\/script>)/, "$1{}$2")
      .replace(/<tbody>[\s\S]*?<\/tbody>/g, (rows) => rows.split("\n").slice(0, 13).join("\n"));
    expectGolden(golden("report.html"), skeleton);
  });

  test("is read back as the report it was made from", () => {
    expect(readReportHtml(html)).toEqual(fixtureReport);
  });

  test.each([
    ["of the fixture", fixtureReport],
    ["of an enemy", hostileReport],
  ])("%s is well-formed, runs nothing and loads nothing", (_, report) => {
    const page = reportHtml(report);
    const elements = readMarkup(page);
    const scripts = elements.filter(({ name }) => name === "script");
    expect(scripts.map(({ attributes }) => attributes)).toEqual([{ type: "application/json", id: "lowbit-report" }]);
    const policy = elements.find(({ attributes }) => attributes["http-equiv"] === "Content-Security-Policy");
    expect(policy?.attributes.content).toContain("default-src 'none'");
    expect(
      elements.filter(({ name }) => ["img", "iframe", "object", "embed", "form", "base", "a"].includes(name)),
    ).toEqual([]);
    expect(elements.filter(({ name }) => name === "link").map(({ attributes }) => attributes.href)).toEqual(["data:,"]);
    const styles = elements.filter(({ name }) => name === "style").map(({ text }) => text);
    expect(styles.join("")).not.toMatch(/url\(|@import|http/);
    for (const { attributes } of elements) {
      expect(Object.keys(attributes).filter((key) => /^on|^src$|^srcset$|^xlink/i.test(key))).toEqual([]);
      expect(attributes.style ?? "").toMatch(/^(width:[\d.]+%)?$/);
    }
  });

  test("of an enemy is read back whole", () => {
    expect(readReportHtml(reportHtml(hostileReport))).toEqual(hostileReport);
  });

  test("says what is measured and what is modelled", () => {
    const chips = readMarkup(html).filter(({ attributes }) => attributes.class?.startsWith("chip "));
    expect(chips.map(({ text }) => text)).toContain("modelled");
    expect(chips.every(({ text, attributes }) => attributes.class === `chip ${text}`)).toBe(true);
  });

  test("of a run on random inputs says that accuracy is not known", () => {
    const data = "random (8 inputs)";
    const page = reportHtml({
      ...fixtureReport,
      calibration: { samples: 8, data },
      quality: {
        ...fixtureReport.quality!,
        data,
        metric: "agreement",
        float: null,
        quantized: 1,
        drop: null,
        samples: 8,
      },
    });
    expect(page).toContain("not that it is right");
    expect(page.match(/made up, not real data/g)).toHaveLength(2);
  });

  test("of a bare report shows what there is", () => {
    const { histograms: _, calibration: __, target: ___, ...rest } = fixtureReport;
    const bare: Report = {
      ...rest,
      quality: null,
      speed: null,
      energy: null,
      memory: null,
      layers: [],
      diagnostics: [],
      size: { ...rest.size, ledger: [] },
    };
    const page = reportHtml(bare);
    expect(readMarkup(page).filter(({ name }) => name === "svg")).toEqual([]);
    expect(page).toContain("was not measured");
    expect(readReportHtml(page)).toEqual(bare);
  });

  test("of 5,000 layers stays a page that opens", () => {
    const layers = Array.from({ length: 5000 }, (_, i) => ({ ...fixtureReport.layers[i % 53], name: `blk.${i}` }));
    const page = reportHtml({ ...fixtureReport, layers });
    expect(page.indexOf('<script type="application/json"')).toBeLessThan(2_000_000);
    expect(page).toContain("3,500 more");
    expect(readReportHtml(page).layers).toHaveLength(5000);
  });
});

describe("reading a report", () => {
  const error = (read: () => unknown): unknown => {
    try {
      read();
    } catch (thrown) {
      return thrown;
    }
    return undefined;
  };

  test("JSON keeps infinities, and forgets what NaN was", () => {
    const report: Report = {
      ...fixtureReport,
      quality: { ...fixtureReport.quality!, logitSqnrDb: Number.NEGATIVE_INFINITY },
    };
    expect(parseReport(reportJson(report, 2))).toEqual(report);
    const broken: Report = { ...fixtureReport, durationMs: Number.NaN };
    expect(parseReport(reportJson(broken)).durationMs).toBeNaN();
  });

  test("other JSON readers accept the text too: it is plain JSON", () => {
    expect(JSON.parse(reportJson(fixtureReport))).toEqual(JSON.parse(JSON.stringify(fixtureReport)));
    expect(reportJson(fixtureReport, 2)).toBe(JSON.stringify(fixtureReport, null, 2));
  });

  test("what is no report is refused with the field that is wrong", () => {
    const wrong = { ...fixtureReport, layers: [{ ...fixtureReport.layers[0], op: 7 }] };
    expect(error(() => parseReport(JSON.stringify(wrong), "a.json"))).toMatchObject({
      code: "report/malformed",
      message: expect.stringContaining("layers.0.op") as unknown,
      at: { file: "a.json" },
    });
    for (const text of ["", "[]", "null", "{", '{"version":2}'])
      expect(error(() => parseReport(text))).toMatchObject({ code: "report/malformed" });
    for (const page of ["", "<html></html>", reportHtml(fixtureReport).slice(0, -2000)])
      expect(error(() => readReportHtml(page))).toMatchObject({ code: "report/malformed" });
  });

  test("a field of a later version survives", () => {
    const later = { ...fixtureReport, carbon: { grams: 1 } };
    expect(parseReport(JSON.stringify(later))).toMatchObject({ carbon: { grams: 1 } });
  });
});
