/** The tests' Chromium notices and refuses what a page or its worker asks of the world; so "nothing was asked" means something. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executablePath, openChromium, type Visitor } from "./chromium";

describe.skipIf(executablePath === undefined)("the tests' Chromium", () => {
  let chromium: Visitor;
  beforeAll(async () => {
    chromium = await openChromium();
  });
  afterAll(() => chromium?.close());

  const elsewhere = "http://example.org/model.onnx";

  test("refuses a page's request for another machine, and tells of it", async () => {
    const { page, foreign } = await chromium.visit("about:blank");
    const refused = await page.evaluate(
      (url) =>
        fetch(url).then(
          () => false,
          () => true,
        ),
      elsewhere,
    );
    expect(refused).toBe(true);
    expect(foreign).toEqual([elsewhere]);
  });

  test("refuses a worker's request too", async () => {
    const { page, foreign } = await chromium.visit("about:blank");
    const refused = await page.evaluate((url) => {
      const program = `fetch("${url}").then(() => postMessage(false), () => postMessage(true))`;
      const worker = new Worker(URL.createObjectURL(new Blob([program], { type: "text/javascript" })));
      return new Promise((resolve) => worker.addEventListener("message", ({ data }) => resolve(data), { once: true }));
    }, elsewhere);
    expect(refused).toBe(true);
    expect(foreign).toEqual([elsewhere]);
  });
});
