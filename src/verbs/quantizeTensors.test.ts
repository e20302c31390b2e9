import { describe, expect, test } from "vitest";
import { BytesSink, bytesSource } from "#base/bytes";
import { memoryStore } from "#base/byteStore";
import { defaultLimits } from "#base/limits";
import { createRng, seedFor } from "#base/rng";
import { readGguf } from "#formats/gguf/readGguf";
import { writeGguf } from "#formats/gguf/writeGguf";
import { quantizedEntries } from "#formats/safetensors/readQuantized";
import { readSafetensors } from "#formats/safetensors/readSafetensors";
import { safetensorsBytes } from "#formats/safetensors/writeSafetensors";
import { normal } from "#math/normal";
import { textValue } from "#model/metadata";
import { readFloats } from "#model/readFloats";
import { packTensor } from "#model/tensor";
import { type StoredTensor, storageOf, type TensorFile } from "#model/tensorFile";
import { dequantize } from "#quant/dequantize";
import { ggmlTypes } from "#quant/ggml/index";
import type { GgmlType } from "#quant/ggml/types";
import { quantizeMatrix, quantizers } from "#quant/quantizers/index";
import type { Quantizer } from "#quant/types";
import { convertTensors } from "#verbs/convertTensors";
import { quantizeTensors } from "#verbs/quantizeTensors";

const examples = Object.values<Quantizer>(quantizers).flatMap((quantizer) => quantizer.examples);

function gauss(count: number, seed = 3): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length: count }, () => normal(rng));
}

function stored(name: string, shape: readonly number[], values: Float32Array): StoredTensor {
  const data = bytesSource(packTensor({ type: "float32", dims: shape, data: values }), name);
  return { name, type: storageOf("float32"), shape, data };
}

const rows = 12;
const columns = 256;
const values = gauss(rows * columns);
const bias = stored("b", [4], gauss(4));
const file: TensorFile = {
  format: "safetensors",
  metadata: new Map([["format", textValue("pt")]]),
  tensors: [stored("w", [rows, 64, 2, 2], values), bias],
};

const plainCast = (scheme: string): boolean => /^b?float16$|^gguf:b?f(16|32)$/.test(scheme);

describe.each(examples.filter((scheme) => !plainCast(scheme)))("%s in a safetensors file", (scheme) => {
  const expected = dequantize(quantizeMatrix({ values, rows, columns }, scheme, { rng: createRng(seedFor(0, "w")) }));

  test("decodes to what the quantizer gave, and the other tensors are as they were", async () => {
    const { file: quantized, rows: report } = await quantizeTensors(file, "safetensors", memoryStore(), {
      weights: scheme,
    });
    const read = await readSafetensors(bytesSource(await safetensorsBytes(quantized)));
    const [entry] = quantizedEntries(read);
    expect(entry.shape).toEqual([rows, 64, 2, 2]);
    expect(dequantize(await entry.load())).toEqual(expected);
    expect(report).toMatchObject([{ name: "w", fromBytes: 4 * rows * columns }]);
    expect(report[0].bytes).toBe(entry.parts.reduce((sum, { data }) => sum + data.size, 0));
    const kept = read.tensors.find(({ name }) => name === "b");
    expect(await kept?.data.read(0, 16)).toEqual(await bias.data.read(0, 16));
    expect(read.metadata.get("format")).toEqual(textValue("pt"));
  });

  test("is the same when it was quantized in tiles", async () => {
    const options = { weights: scheme, tileElements: 8 * columns };
    const { file: quantized } = await quantizeTensors(file, "safetensors", memoryStore(), options);
    const [entry] = quantizedEntries(quantized);
    const decoded = dequantize(await entry.load());
    // whoever draws lots draws them row after row
    expect(decoded).toEqual(expected);
  });

  test("is decoded again by conversion", async () => {
    const { file: quantized } = await quantizeTensors(file, "safetensors", memoryStore(), { weights: scheme });
    const floats = convertTensors(quantized, "safetensors", { weights: "float32" });
    expect(floats.tensors.map(({ name }) => name).sort()).toEqual(["b", "w"]);
    const w = floats.tensors.find(({ name }) => name === "w") as StoredTensor;
    expect(await readFloats(w, 0, rows * columns)).toEqual(expected);
    expect([...floats.metadata.keys()]).toEqual(["format"]);
  });
});

const blockTypes = Object.entries<GgmlType>(ggmlTypes).filter(([, { internal }]) => internal !== true);

describe.each(blockTypes.map(([name]) => name))("gguf:%s", (name) => {
  test("in a GGUF file decodes to what the quantizer gave, also by way of safetensors", async () => {
    const matrix: TensorFile = { ...file, tensors: [stored("w", [rows, columns], values), bias] };
    const options = { weights: `gguf:${name}`, tileElements: 8 * columns };
    const quantized = name === "f32" ? matrix : (await quantizeTensors(matrix, "gguf", memoryStore(), options)).file;
    const sink = new BytesSink();
    await writeGguf(convertTensors(quantized, "gguf"), sink);
    const read = await readGguf(bytesSource(sink.bytes()));
    const expected = dequantize(quantizeMatrix({ values, rows, columns }, options.weights, { rng: createRng(0) }));
    expect(await readFloats(read.tensors[0], 0, rows * columns)).toEqual(expected);
    const there = await readSafetensors(bytesSource(await safetensorsBytes(convertTensors(read, "safetensors"))));
    const back = new BytesSink();
    await writeGguf(convertTensors(there, "gguf"), back);
    expect(Buffer.from(back.bytes()).equals(sink.bytes())).toBe(true);
  });
});

describe("quantizing a file of weights", () => {
  const run = (tensors: readonly StoredTensor[], weights: string, more: object = {}) =>
    quantizeTensors({ ...file, tensors }, "safetensors", memoryStore(), { weights, ...more });
  const w = stored("w", [8, 32], gauss(256));

  test("leaves what a rule leaves, and the last rule that matches wins", async () => {
    const tensors = [w, { ...w, name: "head.w" }, { ...w, name: "head.x" }];
    const rules = [
      { match: "head.*", weights: "float" },
      { match: "*.x", weights: "int8" },
    ];
    const { rows } = await run(tensors, "int4/group:32", { rules });
    expect(rows.map(({ name, scheme }) => [name, scheme])).toEqual([
      ["w", "int4/group:32"],
      ["head.x", "int8"],
    ]);
  });

  test("says which matrix a scheme does not fit, and leaves it", async () => {
    const odd = stored("odd", [3, 5], gauss(15));
    const { file: out, diagnostics } = await quantizeTensors({ ...file, tensors: [w, odd] }, "gguf", memoryStore(), {
      weights: "gguf:q8_0",
    });
    expect(diagnostics).toMatchObject([{ code: "quant/unfit", at: { tensor: "odd" } }]);
    expect(out.tensors[1]).toBe(odd);
  });

  test("leaves numbers that a scheme has no scale for, and says so", async () => {
    const mask = stored("mask", [2, 32], new Float32Array(64).fill(-3e38));
    const { file: out, diagnostics } = await quantizeTensors({ ...file, tensors: [mask, w] }, "gguf", memoryStore(), {
      weights: "gguf:q8_0",
    });
    expect(diagnostics).toMatchObject([{ code: "quant/unfit", at: { tensor: "mask" } }]);
    expect(out.tensors.map(({ type }) => type.name)).toEqual(["float32", "q8_0"]);
  });

  test("refuses NaN by the tensor's name", async () => {
    const broken = stored("broken", [2, 2], Float32Array.of(1, 2, Number.NaN, 4));
    await expect(run([w, broken], "int8")).rejects.toMatchObject({
      code: "quant/non-finite",
      at: { tensor: "broken" },
    });
  });

  test("refuses what is quantized already: codes and scales are no weights", async () => {
    const { file: once } = await run([w], "int4/group:32");
    await expect(quantizeTensors(once, "safetensors", memoryStore(), { weights: "int8" })).rejects.toMatchObject({
      code: "plan/already-quantized",
    });
    const gptq = { ...w, name: "model.q_proj.qweight" };
    await expect(run([gptq, w], "int8")).rejects.toMatchObject({ code: "plan/already-quantized" });
  });

  test("refuses a scheme that GGUF has no type for, and one that changes nothing", async () => {
    await expect(quantizeTensors(file, "gguf", memoryStore(), { weights: "kmeans:16" })).rejects.toMatchObject({
      code: "usage/scheme",
    });
    await expect(quantizeTensors(file, "gguf", memoryStore(), { weights: "gguf:q8_k" })).rejects.toMatchObject({
      code: "usage/scheme",
    });
    await expect(run([bias], "int8")).rejects.toMatchObject({ code: "plan/nothing-to-quantize" });
  });

  test("keeps a limit where a matrix cannot be taken in tiles", async () => {
    const limits = { tileElements: 256, limits: { ...defaultLimits, tensorBytes: 1024 } };
    const tall = stored("tall", [16, 32], gauss(512));
    await expect(run([tall], "int8", limits)).rejects.toMatchObject({ code: "limit/memory", at: { tensor: "tall" } });
    expect((await run([tall], "int8/channel", limits)).rows).toHaveLength(1);
  });
});

describe("conversion", () => {
  test("to float16 refuses numbers that it cannot hold, and keeps infinities", async () => {
    const large = stored("large", [1, 2], Float32Array.of(1, 70_000));
    const endless = stored("endless", [1, 2], Float32Array.of(Number.POSITIVE_INFINITY, -1));
    const cast = (tensor: StoredTensor) =>
      convertTensors({ ...file, tensors: [tensor] }, "safetensors", { weights: "float16" }).tensors[0];
    await expect(cast(large).data.read(0, 4)).rejects.toMatchObject({ code: "quant/scheme", at: { tensor: "large" } });
    expect(await readFloats(cast(endless), 0, 2)).toEqual(Float32Array.of(Number.POSITIVE_INFINITY, -1));
  });

  test("of codes that are no blocks to GGUF is refused", async () => {
    const { file: quantized } = await quantizeTensors(file, "safetensors", memoryStore(), { weights: "int4/group:32" });
    expect(() => convertTensors(quantized, "gguf")).toThrow(expect.objectContaining({ code: "gguf/unsupported" }));
  });

  test("reads any range of a cast tensor alike", async () => {
    const half = convertTensors({ ...file, tensors: [stored("w", [4, 64], gauss(256))] }, "safetensors", {
      weights: "bfloat16",
    }).tensors[0];
    const whole = await half.data.read(0, half.data.size);
    for (const [offset, length] of [
      [0, 2],
      [3, 9],
      [511, 1],
      [100, 0],
    ])
      expect(await half.data.read(offset, length)).toEqual(whole.slice(offset, offset + length));
  });
});
