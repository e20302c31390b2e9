/** Weights that lie about what they are, or change while they are read: nothing of this memory gets out, and no output is left. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { memoryStore } from "#base/byteStore";
import type { ErrorCode } from "#base/errors";
import { nodeFileSystem } from "#base/fileSystem.node";
import { descriptionKey } from "#formats/safetensors/quantizedLayout";
import { quantizedEntries } from "#formats/safetensors/readQuantized";
import { textOf, textValue } from "#model/metadata";
import { type StoredTensor, storageOf, type TensorFile } from "#model/tensorFile";
import { createNodeEnvironment } from "#verbs/nodeEnvironment.node";
import { quantizeTensors } from "#verbs/quantizeTensors";
import { openTensors, quantizeTensorFile, saveTensors } from "#verbs/tensorFiles.node";
import { ggufFile } from "../ggufBuilder";
import { weightsFile } from "../weightsFile";

const folder = mkdtempSync(join(tmpdir(), "lowbit-hostile-"));
const input = join(folder, "in");
const output = join(folder, "out");
const environment = createNodeEnvironment(join(folder, "cache"));
beforeEach(() => {
  for (const path of [input, output]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a file that is cut after it was opened gives no output at all", async () => {
  const path = join(input, "model.safetensors");
  const bytes = await weightsFile();
  writeFileSync(path, bytes);
  const { file, close } = await openTensors(path);
  truncateSync(path, bytes.length - 100_000);
  await expect(saveTensors(file, join(output, "copy.safetensors"), nodeFileSystem)).rejects.toMatchObject({
    code: "io/changed",
  });
  await expect(
    saveTensors({ ...file, format: "gguf" }, join(output, "copy.gguf"), nodeFileSystem),
  ).rejects.toMatchObject({ code: "io/changed" });
  await close();
  expect(readdirSync(output)).toEqual([]);
});

test("a tensor that ends after its file leaves nothing, also no scratch file", async () => {
  const path = join(input, "long.gguf");
  writeFileSync(path, ggufFile({ tensors: [{ extents: [32, 1000] }], data: 64 }));
  const quantizing = quantizeTensorFile(environment, path, join(output, "x.gguf"), { weights: "gguf:q8_0" });
  await expect(quantizing).rejects.toMatchObject({ code: "gguf/truncated", at: { tensor: "w" } });
  expect(readdirSync(output)).toEqual([]);
});

test("old memory is not in what is written: padding is zeros", async () => {
  const marker = Buffer.from("SECRET-OF-ANOTHER-USER-0123456789");
  const path = join(input, "small.gguf");
  // 33 numbers of 4 bytes, so that padding follows
  const tensors = Array.from({ length: 50 }, (_, i) => ({ name: `t${i}`, extents: [33], offset: i * 160 }));
  writeFileSync(
    path,
    ggufFile({ tensors: [...tensors, { name: "m", extents: [32, 3], offset: 50 * 160 }], data: 50 * 160 + 384 }),
  );
  for (let i = 0; i < 2000; i++) Buffer.alloc(8192, marker);
  await quantizeTensorFile(environment, path, join(output, "x.gguf"), { weights: "gguf:q8_0" });
  const written = readFileSync(join(output, "x.gguf"));
  expect(written.includes(marker.subarray(0, 8))).toBe(false);
  const { file, close } = await openTensors(join(output, "x.gguf"));
  await close();
  const data = file.tensors.reduce((sum, tensor) => sum + tensor.data.size, 0);
  expect(written.subarray(written.length - data).every((byte) => byte === 0)).toBe(true);
});

test("an interrupted run leaves nothing", async () => {
  const path = join(input, "model.safetensors");
  writeFileSync(path, await weightsFile());
  const controller = new AbortController();
  const quantizing = quantizeTensorFile(environment, path, join(output, "x.safetensors"), {
    weights: "int4/group:32",
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await expect(quantizing).rejects.toMatchObject({ code: "run/interrupted" });
  expect(readdirSync(output)).toEqual([]);
});

describe("a quantized tensor in safetensors", () => {
  const zeros = (shape: readonly number[], name: string): StoredTensor => {
    const size = shape.reduce((product, extent) => product * extent, 4);
    return { name, type: storageOf("float32"), shape, data: bytesSource(new Uint8Array(size), name) };
  };
  const make = async (weights: string): Promise<TensorFile> => {
    const file: TensorFile = { format: "safetensors", metadata: new Map(), tensors: [zeros([8, 32], "w")] };
    return (await quantizeTensors(file, "safetensors", memoryStore(), { weights })).file;
  };
  const redescribed = (file: TensorFile, change: (text: string) => string): TensorFile => {
    const text = textOf(file.metadata.get(descriptionKey("w"))) as string;
    const changed = change(text);
    expect(changed).not.toBe(text);
    return { ...file, metadata: new Map([[descriptionKey("w"), textValue(changed)]]) };
  };
  const load = async (file: TensorFile): Promise<unknown> => quantizedEntries(file)[0].load();

  test.each<readonly [what: string, code: ErrorCode, weights: string, change: (text: string) => string]>([
    ["no JSON", "safetensors/invalid", "int8", () => "{"],
    ["a million brackets", "safetensors/invalid", "int8", () => "[".repeat(1e6)],
    ["another version", "safetensors/invalid", "int8", (text) => text.replace('"version":1', '"version":2')],
    [
      "a format that is none",
      "safetensors/invalid",
      "int8",
      (text) => text.replace('"dtype":"int8"', '"dtype":"constructor"'),
    ],
    ["a format of 32 bits", "safetensors/invalid", "int8", (text) => text.replace('"dtype":"int8"', '"dtype":"int32"')],
    ["more rows than there are", "safetensors/invalid", "int8", (text) => text.replace("[8,32]", "[9,32]")],
    ["2⁶⁰ elements", "limit/memory", "int8", (text) => text.replace("[8,32]", "[1073741824,1073741824]")],
    ["groups of 0", "safetensors/invalid", "int4/group:32", (text) => text.replaceAll('"size":32', '"size":0')],
    ["a third axis", "safetensors/invalid", "int4/group:32", (text) => text.replaceAll('"axis":1', '"axis":2')],
    [
      "other groups than its scales have",
      "safetensors/invalid",
      "int4/group:32",
      (text) => text.replaceAll('"size":32', '"size":16'),
    ],
    [
      "fewer entries than its codes use",
      "safetensors/invalid",
      "nf4/group:32",
      (text) => text.replace('"entries":16', '"entries":2'),
    ],
    [
      "a lookup that is no list of values",
      "safetensors/invalid",
      "nf4/group:32",
      (text) => text.replace('"dtype":"nf4"', '"dtype":"int4"'),
    ],
    [
      "a rotation that is none",
      "safetensors/invalid",
      "int8/hadamard",
      (text) => text.replace('"order":32', '"order":7'),
    ],
    [
      "vectors that do not divide its rows",
      "safetensors/invalid",
      "vq:4x4",
      (text) => text.replace('"length":4', '"length":5'),
    ],
    [
      "blocks that do not divide its rows",
      "safetensors/invalid",
      "gguf:q8_0",
      (text) => text.replace('"type":"q8_0"', '"type":"q4_k"'),
    ],
    ["an unknown field", "safetensors/invalid", "int8", (text) => text.replace('"scheme"', '"plan"')],
  ])("that is described with %s is refused as %s", async (_, code, weights, change) => {
    const file = await make(weights);
    await load(file);
    await expect(load(redescribed(file, change))).rejects.toMatchObject({ code, at: { tensor: "w" } });
  });

  test.each(["_packed", "_scale"])("that lacks %s is refused", async (suffix) => {
    const file = await make("int4/group:32");
    const tensors = file.tensors.filter(({ name }) => name !== `w${suffix}`);
    await expect(load({ ...file, tensors })).rejects.toMatchObject({ code: "safetensors/invalid" });
  });
});
