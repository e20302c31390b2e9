/** Every example of every chart: drawn as it was when a person last looked, and a well-formed picture that runs nothing. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { charts } from "#report/charts/index";
import { expectGolden } from "../report/golden";
import { type Element, readMarkup } from "../report/wellFormed";
import * as accuracyBars from "./accuracyBars";
import * as energyBars from "./energyBars";
import { hostileNames } from "./hostile";
import * as latencyBars from "./latencyBars";
import * as quantizerLevels from "./quantizerLevels";
import * as rateDistortion from "./rateDistortion";
import * as sizeByLayer from "./sizeByLayer";
import * as sqnrByLayer from "./sqnrByLayer";
import * as weightHistogram from "./weightHistogram";

const examples: Record<keyof typeof charts, Record<string, () => string>> = {
  accuracyBars,
  energyBars,
  latencyBars,
  quantizerLevels,
  rateDistortion,
  sizeByLayer,
  sqnrByLayer,
  weightHistogram,
};
const golden = fileURLToPath(new URL("./golden/", import.meta.url));
const cases = Object.entries(examples).flatMap(([chart, each]) =>
  Object.entries(each).map(([name, draw]) => ({ name: `${chart}-${name}`, draw })),
);

describe.each(cases)("$name", ({ name, draw }) => {
  const picture = draw();
  const elements = readMarkup(picture);

  test("is drawn as before", () => expectGolden(`${golden}${name}.svg`, picture));

  test("has a title and a description for those who do not see it", () => {
    expect(elements[0]).toMatchObject({ name: "svg", attributes: { role: "img" } });
    expect(elements.slice(1, 3).map((element) => element.name)).toEqual(["title", "desc"]);
    expect(elements[1].text.length).toBeGreaterThan(0);
  });

  test("runs nothing and loads nothing", () => {
    const allowed = ["svg", "title", "desc", "style", "rect", "g", "text", "line", "path", "circle"];
    expect(elements.filter((element) => !allowed.includes(element.name))).toEqual([]);
    const attributes = new Set(elements.flatMap((element) => Object.keys(element.attributes)));
    expect([...attributes].filter((attribute) => /^on|href|src|style/i.test(attribute))).toEqual([]);
    expect(picture.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/url\(|@import|<[^>]*http/);
  });

  test("draws numbers only, and inside the frame", () => {
    const width = Number(elements[0].attributes.width);
    for (const element of elements) {
      for (const key of ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height", "r"]) {
        const value = element.attributes[key];
        if (value === undefined) continue;
        expect(value, `${element.name} ${key}`).toMatch(/^-?\d+(\.\d{1,2})?$/);
        if (/^[xw]/.test(key)) expect(Number(value)).toBeLessThanOrEqual(width);
      }
      expect(element.attributes.d ?? "").toMatch(/^[MLHVvlz\d. -]*$/);
      if ("width" in element.attributes) expect(Number(element.attributes.width)).toBeGreaterThanOrEqual(0);
    }
  });

  test("stays small whatever the names and the number of layers", () => {
    expect(picture.length).toBeLessThan(40_000);
  });
});

describe("hostile names", () => {
  const textOf = (elements: Element[]) => elements.map((element) => element.text).join("\n");

  test("are shown as text, in all charts that show names", () => {
    for (const draw of [sizeByLayer.hostileTensors, sqnrByLayer.hostileLayers, latencyBars.hostileLayers]) {
      const elements = readMarkup(draw());
      expect(elements.some((element) => element.name === "script" || element.name === "img")).toBe(false);
      const text = textOf(elements);
      expect(text).toContain(hostileNames[0]);
      expect(text).toContain("␛[2J␛[31mred␇␀");
      expect(text).toContain("weights\\u{202e}txt.exe\\u{2066}");
    }
  });
});

describe("the gallery", () => {
  test("has a file of examples for every chart of the registry, each with a golden picture and no golden left over", () => {
    expect(Object.keys(examples).sort()).toEqual(Object.keys(charts).sort());
    const known = new Set(cases.map(({ name }) => `${name}.svg`));
    const stored = readdirSync(golden).filter((name) => !name.endsWith("-changed.svg"));
    expect(stored.filter((name) => !known.has(name))).toEqual([]);
  });

  test("no golden picture is larger than an afternoon's reading", () => {
    for (const name of readdirSync(golden)) expect(readFileSync(golden + name, "utf8").length).toBeLessThan(40_000);
  });
});
