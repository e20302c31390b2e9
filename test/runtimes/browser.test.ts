/** The browser's runtimes, bundled by Vite as a user would, in a real Chromium. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executablePath, openChromium, type Site, serve, type Visit, type Visitor } from "../browser/chromium";
import { node, onnxFile } from "../onnxBuilder";
import { type Compiled, compilePackage } from "./compiled";
import { slow } from "./contract";

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

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let compiled: Compiled;
  let site: Site;
  let chromium: Visitor;
  let visit: Visit;

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
    site = await serve(join(path, "site"));
    chromium = await openChromium();
    visit = await chromium.visit(site.url);
    await visit.page.waitForFunction("window.ready", undefined, { timeout: 20_000 });
  }, 120_000);

  afterAll(async () => {
    await chromium?.close();
    site?.close();
    compiled?.remove();
  });

  test.each([1, 2])("a model runs in a worker with %i threads", async (threads) => {
    const result = await visit.page.evaluate<{ runtime: string }>(
      `compute([${relu.join(",")}], { threads: ${threads} })`,
    );
    expect(result).toMatchObject({ y: [0, 2], g: [0, 0x4000], array: "Uint16Array" });
    expect(result.runtime).toMatch(/^ort-web \d/);
    expect(visit.complaints).toEqual([]);
  });

  test("a run that never ends is ended, while the page stays alive", async () => {
    const { code, ticks } = await visit.page.evaluate<{ code: string; ticks: number }>(
      `hang([${slow(2 ** 40).join(",")}])`,
    );
    expect(code).toBe("runtime/timeout");
    expect(ticks).toBeGreaterThan(10);
  });
});
