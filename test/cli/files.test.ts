/** Files of weights by the command line; and docs/files.md, whose commands and code run as they stand there. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TensorFile } from "#node";
import { weightsFile } from "../weightsFile";
import { installLowbit, type Lowbit } from "./lowbit";

let lowbit: Lowbit;
let weights: Uint8Array;
beforeAll(async () => {
  lowbit = installLowbit();
  weights = await weightsFile();
}, 60_000);
afterAll(() => lowbit.remove());

/** A folder with one file of weights. */
function startAgain(): void {
  lowbit.clear();
  mkdirSync(lowbit.work, { recursive: true });
  writeFileSync(join(lowbit.work, "model.safetensors"), weights);
}

const run = (...args: readonly string[]) => lowbit.run(args, { cwd: lowbit.work });

describe("docs/files.md", () => {
  const text = readFileSync(new URL("../../docs/files.md", import.meta.url), "utf8");
  const commands = [...text.matchAll(/^\$ npx lowbit (.+)$/gm)].map(([, command]) =>
    command.replaceAll('"', "").split(" "),
  );

  test("its commands run, one after another", async () => {
    startAgain();
    expect(commands.length).toBeGreaterThan(4);
    for (const command of commands) {
      const { code, stderr, stdout } = await run(...command);
      expect(code, `${command.join(" ")}\n${stderr}`).toBe(0);
      expect(stdout).toContain("Next:");
    }
    expect(readdirSync(lowbit.work).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("its code runs", async () => {
    const [, code] = /```js\n([\s\S]*?)```/.exec(text) as RegExpExecArray;
    const [statement, names] = /^import \{(.+)\} from "lowbit";\n/.exec(code) as RegExpExecArray;
    const words = names.split(",").map((name) => name.trim());
    // oxlint-disable-next-line typescript/no-implied-eval -- the page's own code
    const page = new Function(
      "bytes",
      ...words,
      `return (async () => {${code.slice(statement.length)}; return { rows, again, small };})()`,
    ) as (
      ...values: readonly unknown[]
    ) => Promise<{ rows: { scheme: string }[]; again: TensorFile; small: Uint8Array }>;
    const library = new Map(Object.entries(await import("#node")));
    const { rows, again, small } = await page(weights, ...words.map((word) => library.get(word)));
    expect(rows.map(({ scheme }) => scheme)).toEqual(["int8/channel", "int4/group:32"]);
    expect(again.tensors.map(({ type }) => type.name).sort()).toEqual(["float16", "float16", "float32"]);
    expect(small.length).toBeLessThan(weights.length / 2);
  });
});

describe("what cannot be", () => {
  beforeAll(startAgain);

  test.each<readonly [args: string, code: string, exit: number]>([
    ["inspect nowhere.gguf", "io/not-found", 4],
    ["convert model.safetensors model.onnx", "usage/argument", 2],
    ["convert model.safetensors model.bin", "usage/argument", 2],
    ["convert model.safetensors model.safetensors", "usage/same-file", 2],
    ["convert model.safetensors other.gguf --weights int8", "usage/scheme", 2],
    ["quantize model.safetensors -o other.gguf --weights kmeans:16", "usage/scheme", 2],
    ["quantize model.safetensors -o other.safetensors --weights seven", "usage/scheme", 2],
    ["quantize model.safetensors -o other.safetensors --recipe w8a8", "usage/argument", 2],
    ["quantize model.safetensors -o other.safetensors --data images", "usage/argument", 2],
    ["quantize model.safetensors -o other.safetensors --keep *", "plan/nothing-to-quantize", 1],
    ["quantize model.safetensors -o missing/other.safetensors", "io/write", 4],
    ["convert model.safetensors other.safetensors --shard-bytes many", "usage/argument", 2],
    ["inspect cut.safetensors", "safetensors/truncated", 1],
    ["quantize cut.safetensors -o other.safetensors", "safetensors/truncated", 1],
    ["quantize cut.gguf -o other.gguf", "gguf/truncated", 1],
    ["inspect lost.safetensors.index.json", "io/not-found", 4],
    ["inspect outside.safetensors.index.json", "safetensors/shard", 1],
  ])("%s is refused as %s, and nothing is written", async (args, code, exit) => {
    startAgain();
    writeFileSync(join(lowbit.work, "cut.safetensors"), weights.subarray(0, weights.length - 1));
    writeFileSync(join(lowbit.work, "cut.gguf"), Uint8Array.of(0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0, 1));
    writeFileSync(join(lowbit.work, "lost.safetensors.index.json"), '{"weight_map":{"a":"lost-1.safetensors"}}');
    writeFileSync(join(lowbit.work, "outside.safetensors.index.json"), '{"weight_map":{"a":"../a.safetensors"}}');
    const before = readdirSync(lowbit.work).sort();
    const result = await run(...args.split(" "), "--json");
    expect(JSON.parse(result.stdout || "{}"), result.stderr).toMatchObject({ error: { code } });
    expect(result.code).toBe(exit);
    expect(readdirSync(lowbit.work).sort()).toEqual(before);
  });
});

test("a sharded output is an index and files that together are the input", async () => {
  startAgain();
  expect((await run("convert", "model.safetensors", "parts.safetensors", "--shard-bytes", "800KB")).code).toBe(0);
  expect(readdirSync(lowbit.work).sort()).toEqual([
    "model.safetensors",
    "parts-00001-of-00002.safetensors",
    "parts-00002-of-00002.safetensors",
    "parts.safetensors.index.json",
  ]);
  expect((await run("convert", "parts.safetensors.index.json", "whole.safetensors")).code).toBe(0);
  const [given, whole] = ["model", "whole"].map((name) => readFileSync(join(lowbit.work, `${name}.safetensors`)));
  expect(whole.equals(given)).toBe(true);
});
