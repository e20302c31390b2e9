/** The library in a real Chromium, bundled as a web application bundles it: it quantizes, proves, and makes Node's very bytes. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderGlyphs } from "../../examples/glyphs/renderGlyphs.mjs";
import { dataFromArrays, modelInputs, open, quantize, type Recipe, recipes, type Report } from "#node";
import { nodeRuntimes } from "#runtimes/runtimes.node";
import { type Compiled, compilePackage } from "../runtimes/compiled";
import type { Page } from "./app/main";
import { glyphData } from "./app/glyphData";
import { executablePath, isolation, openChromium, type Site, serve, type Visit, type Visitor } from "./chromium";

const app = fileURLToPath(new URL("./app/", import.meta.url));
const glyphs = fileURLToPath(new URL("../../examples/glyphs/glyphs.onnx", import.meta.url));
/** Scripts from here alone, WebAssembly, and the styles of reports: what a careful site allows. */
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src data:";

declare global {
  // what app/main.js puts on the page
  var page: Page;
}

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let compiled: Compiled;
  let folder: string;
  let chromium: Visitor;
  let site: Site;
  let visit: Visit;

  beforeAll(async () => {
    compiled = compilePackage(["onnxruntime-web", "onnxruntime-common", "valibot"]);
    folder = mkdtempSync(join(tmpdir(), "lowbit-page-"));
    await build({
      root: app,
      configFile: false,
      logLevel: "error",
      resolve: { alias: { lowbit: compiled.path } },
      build: { outDir: folder, emptyOutDir: true },
    });
    cpSync(glyphs, join(folder, "glyphs.onnx"));
    chromium = await openChromium();
    site = await serve(folder, { ...isolation, "Content-Security-Policy": policy });
    visit = await chromium.visit(site.url);
  });

  afterAll(async () => {
    await chromium?.close();
    site?.close();
    rmSync(folder, { recursive: true, force: true });
    compiled?.remove();
  });

  const quantizeThere = async (count: number, options: Parameters<Page["quantizeGlyphs"]>[2]) => {
    const { bytes, ...told } = await visit.page.evaluate(
      ([samples, how]) => globalThis.page.quantizeGlyphs("glyphs.onnx", samples, how),
      [count, options] as const,
    );
    return { ...told, bytes: new Uint8Array(Buffer.from(bytes, "base64")) };
  };

  const quantizeHere = async (count: number, options: Parameters<Page["quantizeGlyphs"]>[2]) => {
    const model = await open(new Uint8Array(await readFile(glyphs)));
    return quantize(model, {
      ...options,
      target: "ort-web",
      data: dataFromArrays(...glyphData(count, modelInputs(model))),
    });
  };

  test("a model becomes a third of its size and keeps its answers, measured there", async () => {
    const { bytes, report, stages } = await quantizeThere(300, {});
    const { quality, size, speed } = report;
    expect(report.recipe).toMatchObject({ name: "w8a8" });
    // in memory there is no file: the size is what saving the model would write
    expect(Math.abs(size.inputBytes - (await readFile(glyphs)).byteLength)).toBeLessThan(100);
    expect(size.outputBytes).toBe(bytes.byteLength);
    expect(size.inputBytes / size.outputBytes).toBeGreaterThan(2.5);
    expect(quality).toMatchObject({ metric: "top1", samples: 200 });
    expect(quality?.agreement).toBeGreaterThanOrEqual(0.95);
    expect(quality?.quantized).toBeGreaterThanOrEqual(0.95);
    expect(speed).toMatchObject({ label: "measured", threads: 1 });
    expect(speed?.runtime).toMatch(/^ort-web \d/);
    expect(stages.length).toBeGreaterThan(2);
  });

  test.each(Object.keys(recipes))("%s gives the bytes that Node gives", async (name) => {
    // what is measured decides nothing here: clocks differ
    const recipe: Recipe = { ...recipes[name], prefer: "size" };
    const options = { recipe, measure: false, calibrate: 40, seed: 3 };
    const there = await quantizeThere(60, options);
    const here = await quantizeHere(60, options);
    expect(there.report.output.sha256).toBe(here.report.output.sha256);
    expect(Buffer.compare(there.bytes, here.bytes)).toBe(0);
  });

  test("ONNX Runtime of Node runs what the page made, and the page's proof holds there", async () => {
    const { bytes, report } = await quantizeThere(300, { measure: false });
    const model = await open(bytes);
    const session = await nodeRuntimes["ort-node"].open({ model, bytes: async () => bytes });
    const data = dataFromArrays(...glyphData(300, modelInputs(model)));
    let right = 0;
    for (let i = 0; i < data.length; i++) {
      const { inputs, label } = await data.sample(i);
      const logits = (await session.run(inputs)).logits.data as Float32Array;
      if (logits.indexOf(Math.max(...logits)) === label) right++;
    }
    await session.close();
    // 200 of these 300 images judged on the page
    expect(Math.abs(right / data.length - (report.quality?.quantized ?? 0))).toBeLessThan(0.02);
  });

  test("image files of a page are decoded there, and quantize as well", async () => {
    const { images, labels } = renderGlyphs({ seed: 1, count: 60 });
    const files = await Promise.all(
      Array.from(labels, async (_, i) => {
        const grey = images.subarray(i * 1024, (i + 1) * 1024);
        const png = await sharp(grey, { raw: { width: 32, height: 32, channels: 1 } })
          .png()
          .toBuffer();
        return png.toString("base64");
      }),
    );
    const report = await visit.page.evaluate(
      ([images, labels]) => globalThis.page.quantizeWithImages("glyphs.onnx", images, labels),
      [files, [...labels]] as const,
    );
    expect(report.quality).toMatchObject({ metric: "top1", samples: 40 });
    expect(report.quality?.agreement).toBeGreaterThanOrEqual(0.95);
    expect(report.quality?.float).toBeGreaterThanOrEqual(0.9);
  });

  test("threads are used where the page may have them", async () => {
    const { report } = await quantizeThere(40, { recipe: "w8", measure: false, threads: 2 });
    expect(report.speed?.threads).toBe(2);
    expect(report.quality?.agreement).toBeGreaterThanOrEqual(0.95);
  });

  test("in a worker of its own it leaves the page free", async () => {
    const { report, ticks } = await visit.page.evaluate(() => globalThis.page.quantizeInWorker("glyphs.onnx", 60));
    expect(report.quality?.agreement).toBeGreaterThanOrEqual(0.95);
    expect(ticks).toBeGreaterThan(report.durationMs / 20);
  });

  test("a model is inspected over HTTP without reading its weights twice", async () => {
    const asked = site.requests.length;
    const { layers } = await visit.page.evaluate(() => globalThis.page.inspect("glyphs.onnx"));
    expect(layers.length).toBeGreaterThan(10);
    expect(site.requests.slice(asked)).toContain("/glyphs.onnx");
  });

  test("what is no model is refused with a code, a place and a hint", async () => {
    const error = await visit.page.evaluate(() => globalThis.page.openBytes([1, 2, 3]));
    expect(error).toMatchObject({ code: expect.stringMatching(/^onnx\//), hint: expect.any(String) });
  });

  test("a page without isolated memory does the same with one thread", async () => {
    const plain = await serve(folder, {});
    const fetched = () => plain.requests.some((path) => path.endsWith(".wasm"));
    try {
      const { page, complaints } = await chromium.visit(plain.url);
      await page.evaluate(() => globalThis.page.inspect("glyphs.onnx"));
      expect(fetched(), "reading a model needs no runtime").toBe(false);
      expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(false);
      const report: Report = await page.evaluate(async () => {
        return (await globalThis.page.quantizeGlyphs("glyphs.onnx", 40, { recipe: "w8", measure: false })).report;
      });
      expect(report.quality?.agreement).toBeGreaterThanOrEqual(0.95);
      expect(fetched()).toBe(true);
      expect(complaints).toEqual([]);
    } finally {
      plain.close();
    }
  });

  test("nothing was asked of the world, nothing was complained about, and one WebAssembly file was read", () => {
    expect(visit.foreign).toEqual([]);
    expect(visit.complaints).toEqual([]);
    expect(new Set(site.requests.filter((path) => path.endsWith(".wasm"))).size).toBe(1);
  });
});
