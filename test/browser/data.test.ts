/** The same files, opened in a real Chromium and in Node, become the same tensors. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { build, type Rollup } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LowbitError } from "#base/errors";
import { folderOfFiles } from "#data/folder";
import { decodeWithSharp } from "#data/images/decodeWithSharp.node";
import { writeNpy } from "#data/npy/npy";
import { type DataOptions, openDataIn } from "#data/openData";
import { float32 } from "#model/tensor";
import { executablePath, openChromium, type Visitor } from "./chromium";

const program = `
  import { openDataIn } from "#data/openData";
  import { folderOfFiles } from "#data/folder";
  window.openFirst = async (name, bytes, options) => {
    try {
      const data = await openDataIn(folderOfFiles([[name, new Blob([Uint8Array.from(bytes)])]]), name, options);
      const { inputs } = await data.sample(0);
      return { kind: data.kind, length: data.length, dims: inputs.x.dims, values: [...inputs.x.data] };
    } catch (error) {
      return { code: error.code, message: error.message };
    }
  };
`;

interface Opened {
  readonly kind?: string;
  readonly length?: number;
  readonly dims?: readonly number[];
  readonly values?: readonly number[];
  readonly code?: string;
}

declare global {
  // what the program above puts on the page
  var openFirst: (name: string, bytes: readonly number[], options: DataOptions) => Promise<Opened>;
}

const inputs = [{ name: "x", type: "float32", dims: ["N", 3, 20, 24] }] as const;
const photo = sharp(
  new Uint8Array(48 * 40 * 3).map((_, i) => 128 + 100 * Math.sin(i / 90) * Math.cos(i / 1700)),
  { raw: { width: 48, height: 40, channels: 3 } },
);

async function inNode(name: string, bytes: Uint8Array, options: DataOptions): Promise<Opened> {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  try {
    const data = await openDataIn(folderOfFiles([[name, blob]]), name, { decodeImage: decodeWithSharp, ...options });
    const { x } = (await data.sample(0)).inputs;
    return { kind: data.kind, length: data.length, dims: x.dims, values: Array.from(x.data as Float32Array) };
  } catch (error) {
    return { code: (error as LowbitError).code };
  }
}

describe.skipIf(executablePath === undefined)("data in Chromium", () => {
  const folder = mkdtempSync(join(tmpdir(), "lowbit-browser-"));
  let chromium: Visitor;
  let page: Page;
  const inBrowser = (name: string, bytes: Uint8Array, options: DataOptions): Promise<Opened> =>
    page.evaluate(([file, content, how]) => globalThis.openFirst(file, content, how), [
      name,
      [...bytes],
      options,
    ] as const);

  beforeAll(async () => {
    const entry = join(folder, "entry.js");
    writeFileSync(entry, program);
    const src = fileURLToPath(new URL("../../src/", import.meta.url));
    const made = (await build({
      configFile: false,
      logLevel: "error",
      resolve: { alias: [{ find: /^#(.+)$/, replacement: `${src}$1.ts` }] },
      build: { write: false, minify: false, lib: { entry, formats: ["iife"], name: "entry" } },
    })) as Rollup.RollupOutput[];
    chromium = await openChromium();
    page = (await chromium.visit("about:blank")).page;
    await page.addScriptTag({ content: made[0].output[0].code });
  }, 60_000);

  afterAll(async () => {
    await chromium?.close();
    rmSync(folder, { recursive: true });
  });

  test("PNG, with alpha and interlaced too, gives Node's values exactly", async () => {
    const files = [
      await photo.clone().png().toBuffer(),
      await photo.clone().ensureAlpha(0.3).png({ progressive: true }).toBuffer(),
    ];
    for (const file of files) {
      const options = { inputs, preprocess: "imagenet-torch" };
      const seen = await inBrowser("a.png", file, options);
      expect(seen.dims).toEqual([1, 3, 20, 24]);
      expect(seen).toEqual(await inNode("a.png", file, options));
    }
  });

  test.each(["jpeg", "webp"] as const)("%s differs from Node's by its decoder only", async (format) => {
    const file = await photo.clone().toFormat(format, { quality: 95 }).toBuffer();
    const options = { inputs, preprocess: "raw" };
    const [there, here] = [await inBrowser(`a.${format}`, file, options), await inNode(`a.${format}`, file, options)];
    expect(there.dims).toEqual(here.dims);
    const levels = there.values?.map((value, i) => Math.abs(value - (here.values?.[i] ?? 0))) ?? [];
    expect(Math.max(...levels)).toBeLessThanOrEqual(3);
  });

  test("a photo that its camera held sideways stands upright", async () => {
    const file = await photo.clone().withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer();
    const options = { inputs: [{ ...inputs[0], dims: ["N", 3, "h", "w"] }], preprocess: "raw" } as const;
    expect((await inBrowser("a.jpg", file, options)).dims).toEqual([1, 3, 48, 40]);
  });

  const vector = { inputs: [{ name: "x", type: "float32", dims: ["N", 2] }] } as const;
  const npy = writeNpy(float32([3, 2], [1, 2, 3, 4, 5, 6]));

  test.each<[string, string, Uint8Array]>([
    ["npy", "a.npy", npy],
    ["packed npy", "a.npy.gz", gzipSync(npy)],
    ["deflated npz", "a.npz", zipSync({ "x.npy": npy })],
    ["JSONL", "a.jsonl", Buffer.from("[1, 2]\n[3, 4]\n[5, 6]\n")],
    ["a truncated gzip", "a.npy.gz", gzipSync(npy).subarray(0, 40)],
    ["a bomb", "a.npy.gz", gzipSync(new Uint8Array(4 << 20))],
    ["a damaged PNG", "a.png", Buffer.from("\x89PNG and no more", "latin1")],
    ["a damaged JPEG", "a.jpg", Buffer.from("\xff\xd8\xff and no more", "latin1")],
    ["nothing of the kind", "a.xyz", Buffer.from("?")],
  ])("%s has Node's verdict", async (_, name, file) => {
    const options = { ...(/png|jpg/.test(name) ? { inputs } : vector), limits: { unpackedBytes: 1 << 20 } };
    const seen = await inBrowser(name, file, options);
    const { code, ...rest } = await inNode(name, file, options);
    expect(seen).toMatchObject(code === undefined ? rest : { code });
  });
});
