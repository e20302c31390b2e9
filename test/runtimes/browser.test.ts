/** The browser's runtimes, bundled by Vite as a user would, in a real Chromium. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { node, onnxFile } from "../onnxBuilder";
import { type Compiled, compilePackage } from "./compiled";
import { slow } from "./contract";

const executablePath = ["chromium", "chromium-browser", "google-chrome"]
  .map((name) => spawnSync("which", [name], { encoding: "utf8" }).stdout?.trim())
  .find((path) => path);

const relu = onnxFile({
  inputs: { x: ["float32", [2]], h: ["float16", [2]] },
  outputs: { y: ["float32", [2]], g: ["float16", [2]] },
  nodes: [node("Relu", ["x"], ["y"]), node("Relu", ["h"], ["g"])],
});

const program = `
  import { runtimes } from "#runtimes/index";
  import { chooseRuntime } from "#runtimes/chooseRuntime";
  const file = (bytes) => ({ model: { graph: { initializers: new Map() } }, bytes: async () => Uint8Array.from(bytes) });
  const x = { type: "float32", dims: [2], data: Float32Array.of(-1, 2) };
  const h = { type: "float16", dims: [2], data: Uint16Array.of(0xbc00, 0x4000) };
  const big = { type: "float32", dims: [64, 64], data: new Float32Array(4096) };

  window.compute = async (bytes, options) => {
    const runtime = await chooseRuntime("auto", runtimes);
    const session = await runtime.open(file(bytes), options);
    const { y, g } = await session.run({ x, h });
    await session.close();
    return { runtime: session.runtime, y: [...y.data], g: [...g.data], array: g.data.constructor.name };
  };
  window.hang = async (bytes) => {
    const session = await runtimes["ort-web"].open(file(bytes), { timeoutMs: 300 });
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 10);
    const code = await session.run({ x: big }).catch((error) => error.code);
    clearInterval(ticking);
    return { code, ticks };
  };
  window.ready = true;
`;

const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let compiled: Compiled;
  let server: Server;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    compiled = compilePackage(["onnxruntime-web", "onnxruntime-common"]);
    const { path } = compiled;
    writeFileSync(
      join(path, "index.html"),
      `<link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`,
    );
    writeFileSync(join(path, "page.js"), program);
    await build({
      root: path,
      configFile: false,
      logLevel: "error",
      build: { outDir: join(path, "site"), minify: false },
    });
    server = createServer((request, response) => {
      const name = request.url === "/" ? "/index.html" : (request.url ?? "");
      try {
        const body = readFileSync(join(path, "site", name));
        // threads need an isolated page
        response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
        response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
        response.setHeader("Content-Type", types[extname(name)] ?? "application/octet-stream");
        response.end(body);
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
    page = await browser.newPage();
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction("window.ready", undefined, { timeout: 20_000 });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
    compiled?.remove();
  });

  test.each([1, 2])("a model runs in a worker with %i threads", async (threads) => {
    const result = await page.evaluate<{ runtime: string }>(`compute([${relu.join(",")}], { threads: ${threads} })`);
    expect(result).toMatchObject({ y: [0, 2], g: [0, 0x4000], array: "Uint16Array" });
    expect(result.runtime).toMatch(/^ort-web \d/);
    expect(complaints).toEqual([]);
  });

  test("a run that never ends is ended, while the page stays alive", async () => {
    const { code, ticks } = await page.evaluate<{ code: string; ticks: number }>(`hang([${slow(2 ** 40).join(",")}])`);
    expect(code).toBe("runtime/timeout");
    expect(ticks).toBeGreaterThan(10);
  });
});
