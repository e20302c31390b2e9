/** The weights of real models, from ONNX to safetensors and GGUF and back: the same bytes, and errors that quantization is known for. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { BytesSink, bytesSource } from "#base/bytes";
import { memoryStore } from "#base/byteStore";
import { readGguf } from "#formats/gguf/readGguf";
import { writeGguf } from "#formats/gguf/writeGguf";
import { readSafetensors } from "#formats/safetensors/readSafetensors";
import { safetensorsBytes } from "#formats/safetensors/writeSafetensors";
import type { StoredTensor, TensorFile } from "#model/tensorFile";
import { convertTensors } from "#verbs/convertTensors";
import { quantizeTensors } from "#verbs/quantizeTensors";
import { openTensors } from "#verbs/tensorFiles.node";

const folder = fileURLToPath(new URL("../../../shared/models/", import.meta.url));
const models = [
  "lm/stories260K",
  "imagenet/mobilenet_v2_1.0_224_tf",
  "imagenet/squeezenet1.1",
  "cifar10/cifar10_resnet20",
];
const absent = !existsSync(folder);

async function contents({ tensors }: TensorFile): Promise<ReadonlyMap<string, string>> {
  const digest = async ({ name, type, shape, data }: StoredTensor): Promise<readonly [string, string]> => {
    const hash = await crypto.subtle.digest("SHA-256", new Uint8Array(await data.read(0, data.size)));
    return [name, `${type.name} [${shape.join(", ")}] ${Buffer.from(hash).toString("hex")}`];
  };
  return new Map(await Promise.all(tensors.map(digest)));
}

/** GGUF's names end at 63 bytes. */
function shortNames(file: TensorFile): TensorFile {
  return { ...file, tensors: file.tensors.map((tensor, i) => ({ ...tensor, name: `${i}` })) };
}

async function throughGguf(file: TensorFile): Promise<TensorFile> {
  const sink = new BytesSink();
  await writeGguf(file, sink);
  return readGguf(bytesSource(sink.bytes()));
}

describe.skipIf(absent)("the weights of real models (../shared/models)", () => {
  test.each(models)("%s: the same in every format", async (name) => {
    const { file, close } = await openTensors(`${folder}${name}.onnx`);
    const given = await contents(file);
    expect(given.size).toBeGreaterThan(10);
    const safetensors = await readSafetensors(bytesSource(await safetensorsBytes(convertTensors(file, "safetensors"))));
    expect(await contents(safetensors)).toEqual(given);
    const short = shortNames(file);
    expect(await contents(await throughGguf(convertTensors(short, "gguf")))).toEqual(await contents(short));
    await close();
  });

  test("those of a language model lose what quantization of Gaussian weights loses", async () => {
    const { file, close } = await openTensors(`${folder}lm/stories260K.onnx`);
    const sqnr = async (weights: string, format: "gguf" | "safetensors"): Promise<number> => {
      const { rows } = await quantizeTensors(file, format, memoryStore(), { weights });
      const all = rows.map(({ sqnrDb }) => sqnrDb ?? 0);
      return all.reduce((sum, each) => sum + each, 0) / all.length;
    };
    // 6 dB a bit, and what scales for few neighbours add
    expect(await sqnr("int8/channel", "safetensors")).toBeGreaterThan(38);
    expect(await sqnr("int4/group:32", "safetensors")).toBeGreaterThan(18);
    expect(await sqnr("gguf:q8_0", "gguf")).toBeGreaterThan(42);
    expect(await sqnr("gguf:q4_0", "gguf")).toBeGreaterThan(19);
    await close();
  });
});
