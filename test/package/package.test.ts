/** What npm would publish, installed as a stranger installs it: with the native runtime and without. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type Rollup } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Report } from "#node";

const root = fileURLToPath(new URL("../../", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Runs a command to its end and returns what it printed; a failure throws with all of it. */
function run(cwd: string, command: string, ...words: string[]): string {
  const done = spawnSync(command, words, { cwd, encoding: "utf8", shell: process.platform === "win32" });
  if (done.status !== 0)
    throw new Error(`${command} ${words.join(" ")}: ${done.status}\n${done.stdout}\n${done.stderr}`);
  return done.stdout;
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

let folder: string;
let packed: Packed;

beforeAll(() => {
  expect(existsSync(join(root, "dist/cli/main.js")), "npm run build comes first").toBe(true);
  folder = realpathSync(mkdtempSync(join(tmpdir(), "lowbit-packed-")));
  [packed] = JSON.parse(run(root, "npm", "pack", "--json", "--pack-destination", folder)) as [Packed];
  run(
    root,
    process.execPath,
    "examples/glyphs/render.mjs",
    "--out",
    join(folder, "data"),
    "--train=0",
    "--calibration=0",
    "--test=300",
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the packed file", () => {
  test("holds the compiled library and the papers, and nothing else", () => {
    const allowed = /^(dist\/.+\.(js|d\.ts)|package\.json|README\.md|CHANGELOG\.md|LICENSE|SECURITY\.md)$/;
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => !allowed.test(path) || path.includes(".test."))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining(["LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "dist/cli/main.js"]),
    );
  });

  test("holds one program for each source, none that is gone", () => {
    const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|js)$/.test(name) && !name.includes(".test."))
      .map((name) => `dist/${name.replace(/\.ts$/, ".js")}`);
    const programs = packed.files
      .map(({ path }) => path)
      .filter((path) => path.startsWith("dist/") && path.endsWith(".js"));
    expect([...programs].sort()).toEqual([...sources].sort());
  });

  test("is small", () => {
    tell(`packed ${kB(packed.size)}, unpacked ${kB(packed.unpackedSize)}, ${packed.files.length} files`);
    expect(packed.size).toBeLessThan(1_000_000);
  });

  test("has a command that can be executed", () => {
    const [command] = packed.files.filter(({ path }) => path === manifest.bin.lowbit);
    expect(command.mode & 0o111).toBe(0o111);
  });
});

describe("package.json", () => {
  test("needs three packages, and can do with three more", () => {
    expect(Object.keys(manifest.dependencies)).toEqual(["commander", "onnxruntime-web", "valibot"]);
    expect(Object.keys(manifest.optionalDependencies)).toEqual([
      "@huggingface/tokenizers",
      "onnxruntime-node",
      "sharp",
    ]);
  });

  test("names exact versions", () => {
    const { dependencies, optionalDependencies, devDependencies } = manifest;
    for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies }))
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test("runs nothing when it is installed", () => {
    const hooks = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"];
    expect(Object.keys(manifest.scripts).filter((name) => hooks.includes(name))).toEqual([]);
  });
});

const installs = [
  { name: "with the WebAssembly runtime alone", flags: ["--omit=optional"], runtime: /^ort-web 1\.30\.0$/ },
  { name: "with the native runtime", flags: [], runtime: /^ort-node 1\.30\.0$/ },
];

describe.each(installs)("installed $name", ({ flags, runtime }) => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(folder, "home-"));
    writeFileSync(join(home, "package.json"), JSON.stringify({ private: true, type: "module" }));
    run(home, "npm", "install", "--ignore-scripts", "--prefer-offline", ...flags, join(folder, packed.filename));
    cpSync(join(root, "examples/glyphs/glyphs.onnx"), join(home, "glyphs.onnx"));
  });

  test("only what was asked for is there", () => {
    const optional = Object.keys(manifest.optionalDependencies).filter((name) =>
      existsSync(join(home, "node_modules", name)),
    );
    expect(optional).toEqual(flags.length === 0 ? Object.keys(manifest.optionalDependencies) : []);
  });

  test("the command tells its version", () => {
    expect(run(home, "npx", "--no", "--", "lowbit", "--version").trim()).toBe(manifest.version);
  });

  test("the command quantizes, in the best runtime there is", () => {
    const data = join(folder, "data/test-images-idx3-ubyte.gz");
    const words = [
      "quantize",
      "glyphs.onnx",
      "-o",
      "small.onnx",
      "--data",
      data,
      "--preprocess",
      "unit",
      "--html",
      "report.html",
    ];
    const report = JSON.parse(run(home, "npx", "--no", "--", "lowbit", ...words, "--json")) as Report;
    expect(report.speed?.runtime).toMatch(runtime);
    expect(report.quality?.agreement).toBeGreaterThanOrEqual(0.95);
    expect(readFileSync(join(home, "small.onnx")).byteLength).toBe(report.size.outputBytes);
    expect(report.size.ratio).toBeGreaterThan(2.5);
    expect(readFileSync(join(home, "report.html"), "utf8")).toContain("</html>");
  });

  test("a program imports the library", () => {
    writeFileSync(
      join(home, "program.js"),
      `
      import { readFile } from "node:fs/promises";
      import { open, openData, modelInputs, quantize, quantizeFile } from "lowbit";
      import * as browser from "lowbit/browser";
      import * as node from "lowbit/node";
      const data = await openData(process.argv[2], { inputs: modelInputs(await open("glyphs.onnx")), preprocess: "unit" });
      const model = await open(new Uint8Array(await readFile("glyphs.onnx")));
      const { bytes, report } = await quantize(model, { data, measure: false });
      const file = await quantizeFile("glyphs.onnx", "again.onnx", { data: process.argv[2], recipe: "w8" });
      console.log(JSON.stringify({
        agreement: report.quality.agreement,
        bytes: bytes.byteLength === report.size.outputBytes,
        file: file.size.ratio > 2.5,
        same: node.quantize === quantize,
        browser: "quantizeFile" in browser,
      }));
      `,
    );
    const told = JSON.parse(run(home, process.execPath, "program.js", join(folder, "data/test-images-idx3-ubyte.gz")));
    expect(told).toMatchObject({ bytes: true, file: true, same: true, browser: false });
    expect(told.agreement).toBeGreaterThanOrEqual(0.95);
  });
});

describe("types", () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(folder, "types-"));
    writeFileSync(join(home, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const words = ["--ignore-scripts", "--prefer-offline", "--omit=optional", join(folder, packed.filename)];
    run(home, "npm", "install", ...words, `@types/node@${manifest.devDependencies["@types/node"]}`);
  });

  const check = (options: object, program: string): string => {
    writeFileSync(join(home, "program.ts"), program);
    const compilerOptions = {
      target: "es2022",
      module: "esnext",
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      ...options,
    };
    writeFileSync(join(home, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    return spawnSync(process.execPath, [tsc, "-p", home], { cwd: home, encoding: "utf8" }).stdout;
  };

  const inNode = `
    import { open, openData, modelInputs, quantize, quantizeFile, type Report, LowbitError } from "lowbit";
    const model = await open("model.onnx");
    const data = await openData("images", { inputs: modelInputs(model) });
    const { report }: { report: Report } = await quantize(model, { data, recipe: "w8a8" });
    const ratio: number = report.size.ratio;
    const agreement: number | null | undefined = (await quantizeFile("a.onnx", "b.onnx")).quality?.agreement;
    export { agreement, LowbitError, ratio };
  `;
  const inPage = `
    import { open, dataFromImages, modelInputs, quantize } from "lowbit";
    const model = await open(new Blob([]));
    const { bytes } = await quantize(model, { data: dataFromImages([], { inputs: modelInputs(model) }) });
    export const size: number = bytes.byteLength;
  `;
  const web = ["es2023", "dom", "dom.iterable"];

  test("are Node's in Node", () => {
    expect(check({ module: "nodenext", moduleResolution: "nodenext", lib: ["es2023"], types: ["node"] }, inNode)).toBe(
      "",
    );
  });

  test("are a page's for a bundler", () => {
    expect(check({ moduleResolution: "bundler", lib: web, types: [] }, inPage)).toBe("");
    expect(check({ moduleResolution: "bundler", lib: web, types: [] }, inNode)).toContain("'quantizeFile'");
  });

  test("are the entry's that was named", () => {
    const named = inNode.replace('"lowbit"', '"lowbit/node"');
    expect(check({ moduleResolution: "bundler", lib: ["es2023"], types: ["node"] }, named)).toBe("");
  });

  test("refuse what is wrong", () => {
    const wrong = inPage.replace("inputs: modelInputs(model)", "inputs: model");
    expect(check({ moduleResolution: "bundler", lib: web, types: [] }, wrong)).toContain("error TS");
  });
});

test("a bundle for the browser holds nothing of Node", async () => {
  const home = mkdtempSync(join(folder, "page-"));
  cpSync(join(root, "examples/browser"), home, { recursive: true });
  run(home, "npm", "pkg", "delete", "dependencies", "devDependencies");
  run(home, "npm", "install", "--ignore-scripts", "--prefer-offline", "--omit=optional", join(folder, packed.filename));
  mkdirSync(join(home, "node_modules"), { recursive: true });
  const made = (await build({
    root: home,
    configFile: false,
    logLevel: "error",
    build: { write: false },
  })) as Rollup.RollupOutput;
  const [page] = made.output.filter((part) => part.type === "chunk");
  const worker = made.output.find((part) => part.type === "asset" && /worker.*\.js$/.test(part.fileName));
  expect(worker, "the worker is a file of its own").toBeDefined();
  const text = [page.code, String((worker as Rollup.OutputAsset).source)];
  for (const code of text) expect(code).not.toMatch(/(?:from|import|require)\s*\(?\s*["'](?:node:|fs|path|os)\b/);
  tell(
    `the page ${kB(page.code.length)}, ${kB(gzipSync(page.code).byteLength)} gzipped; its worker ${kB(text[1].length)}`,
  );
  expect(gzipSync(page.code).byteLength).toBeLessThan(250_000);
});

/** For whoever reads the log. */
function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

function kB(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}
