/** `lowbit pack` and `unpack`: what comes out is what went in, and nothing else is touched. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { saveOnnxFile } from "#formats/onnx/onnxFile.node";
import { readOnnx } from "#formats/onnx/readOnnx";
import { bytesSource } from "#base/bytes";
import { installLowbit, type Lowbit } from "./lowbit";
import { smallModel } from "./models";

let lowbit: Lowbit;
beforeAll(() => {
  lowbit = installLowbit();
}, 60_000);
afterAll(() => lowbit.remove());

const path = (name: string): string => join(lowbit.work, name);
const run = (...args: readonly string[]) => lowbit.run(args, { cwd: lowbit.work });

beforeEach(() => {
  lowbit.clear();
  mkdirSync(path("there"), { recursive: true });
  writeFileSync(path("model.onnx"), smallModel());
});

test("a model comes back byte for byte", async () => {
  const packed = await run("pack", "model.onnx", "-o", "small.lbz", "--json");
  expect(packed.stderr).toBe("");
  expect(JSON.parse(packed.stdout)).toMatchObject({ inputBytes: smallModel().length });
  const unpacked = await run("unpack", "small.lbz", "-o", "there/again.onnx");
  expect(unpacked).toMatchObject({ code: 0 });
  expect(unpacked.stdout).toContain("next: lowbit inspect");
  expect(Buffer.compare(readFileSync(path("there/again.onnx")), Buffer.from(smallModel()))).toBe(0);
});

test("so does one whose weights lie in another file", async () => {
  const model = await readOnnx(bytesSource(smallModel()));
  await saveOnnxFile(model, path("big.onnx"), { externalData: true });
  const names = readdirSync(lowbit.work).filter((name) => name.startsWith("big"));
  expect(names.length).toBe(2);
  await run("pack", "big.onnx", "-o", "there/big.lbz");
  expect(await run("unpack", "there/big.lbz")).toMatchObject({ code: 0 });
  for (const name of names)
    expect(Buffer.compare(readFileSync(path(`there/${name}`)), readFileSync(path(name))), name).toBe(0);
});

test("a damaged file is refused, and what was there stays", async () => {
  await run("pack", "model.onnx", "-o", "small.lbz");
  const bytes = readFileSync(path("small.lbz"));
  bytes[bytes.length - 20] ^= 255;
  writeFileSync(path("small.lbz"), bytes);
  writeFileSync(path("there/old.onnx"), "what was here before");
  const refused = await run("unpack", "small.lbz", "-o", "there/old.onnx");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("lbz/malformed");
  expect(readFileSync(path("there/old.onnx"), "utf8")).toBe("what was here before");
  expect(existsSync(path("there/model.onnx"))).toBe(false);
});
