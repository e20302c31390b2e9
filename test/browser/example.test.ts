/** examples/browser, used as a person uses it: built and served, or by Vite's development server; choose files, press the button. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { build, createServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderGlyphs } from "../../examples/glyphs/renderGlyphs.mjs";
import { readReportHtml } from "#node";
import { type Compiled, compilePackage } from "../runtimes/compiled";
import { executablePath, openChromium, serve, type Visit, type Visitor } from "./chromium";

const root = fileURLToPath(new URL("../../", import.meta.url));
const glyphs = join(root, "examples/glyphs/glyphs.onnx");
const count = 40;

/** The example where a user would have it: a folder of its own with lowbit and Vite installed. */
function installExample(lowbit: string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "lowbit-example-")));
  cpSync(join(root, "examples/browser"), folder, { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(lowbit, join(folder, "node_modules/lowbit"), "junction");
  symlinkSync(join(root, "node_modules/vite"), join(folder, "node_modules/vite"), "junction");
  return folder;
}

/** As photos from a phone or a scanner: PNG, JPEG and WebP in turn. */
async function imageFiles(): Promise<{ name: string; mimeType: string; buffer: Buffer }[]> {
  const { images } = renderGlyphs({ seed: 1, count });
  const formats = ["png", "jpeg", "webp"] as const;
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const format = formats[i % 3];
      const grey = images.subarray(i * 1024, (i + 1) * 1024);
      const image = sharp(grey, { raw: { width: 32, height: 32, channels: 1 } }).toFormat(format, { quality: 95 });
      return { name: `${i}.${format}`, mimeType: `image/${format}`, buffer: await image.toBuffer() };
    }),
  );
}

test("docs/browser.md shows the example as it is", () => {
  const document = readFileSync(join(root, "docs/browser.md"), "utf8");
  for (const file of ["page.js", "vite.config.js"])
    expect(document, file).toContain(`\`\`\`js\n${readFileSync(join(root, "examples/browser", file), "utf8")}\`\`\``);
});

describe.skipIf(executablePath === undefined)("examples/browser", () => {
  let compiled: Compiled;
  let folder: string;
  let chromium: Visitor;

  beforeAll(async () => {
    compiled = compilePackage(["onnxruntime-web", "onnxruntime-common", "valibot"]);
    folder = installExample(compiled.path);
    chromium = await openChromium();
  });
  afterAll(async () => {
    await chromium?.close();
    rmSync(folder, { recursive: true, force: true });
    compiled?.remove();
  });

  const useIt = async ({ page, complaints, foreign }: Visit): Promise<void> => {
    await page.getByLabel("ONNX model").setInputFiles(glyphs);
    await page.getByLabel("Typical images").setInputFiles(await imageFiles());
    await page.getByLabel("Pixels become numbers").selectOption("unit");
    await page.getByRole("button", { name: "Quantize" }).click();
    await page.getByRole("link").first().waitFor({ timeout: 60_000 });

    expect(await page.getByRole("status").textContent()).toContain("× smaller");
    const saved = async (name: string): Promise<Buffer> => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name }).click()]);
      expect(download.suggestedFilename()).toBe(name);
      return readFileSync(await download.path());
    };
    const model = await saved("glyphs.small.onnx");
    const report = await saved("report.html");
    expect(model.byteLength).toBeLessThan(290_897 / 2.5);
    const { size, quality } = readReportHtml(report.toString("utf8"), "report.html");
    expect(size.outputBytes).toBe(model.byteLength);
    expect(quality?.samples).toBe(count / 2);
    expect(quality?.agreement).toBeGreaterThanOrEqual(0.9);
    expect(complaints.filter((text) => !text.startsWith("[vite]"))).toEqual([]);
    expect(foreign).toEqual([]);
  };

  test("built by Vite and served as files", async () => {
    await build({ root: folder, logLevel: "error" });
    const site = await serve(join(folder, "dist"));
    try {
      await useIt(await chromium.visit(site.url));
    } finally {
      site.close();
    }
  });

  test("by Vite's development server", async () => {
    // the links of installExample lead out of the folder, which the server would not follow
    const server = { host: "127.0.0.1", port: 0, fs: { strict: false } };
    const development = await createServer({ root: folder, logLevel: "error", server });
    try {
      await development.listen();
      await useIt(await chromium.visit(development.resolvedUrls?.local[0] ?? ""));
    } finally {
      await development.close();
    }
  });

  test("an error is shown with what to do about it", async () => {
    const site = await serve(join(folder, "dist"));
    try {
      const { page } = await chromium.visit(site.url);
      await page.getByLabel("ONNX model").setInputFiles({ name: "a.onnx", mimeType: "", buffer: Buffer.from("no") });
      await page.getByLabel("Typical images").setInputFiles((await imageFiles()).slice(0, 1));
      await page.getByRole("button", { name: "Quantize" }).click();
      await page
        .getByRole("status")
        .getByText(/a\.onnx/)
        .waitFor();
    } finally {
      site.close();
    }
  });
});
