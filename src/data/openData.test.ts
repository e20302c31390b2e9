/** Every kind, opened as a user opens it, from files in memory: what a web page can do. */
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { dataFromImages } from "#data/dataFromImages";
import { folderOfFiles } from "#data/folder";
import { decodePlain } from "#data/images/decodePlain";
import { dataKinds } from "#data/index";
import { writeNpy } from "#data/npy/npy";
import { type DataOptions, openDataIn } from "#data/openData";
import type { Dataset, ModelInput } from "#data/types";
import { float32, int64, type Tensor } from "#model/tensor";

const input = (dims: ModelInput["dims"], type: ModelInput["type"] = "float32"): ModelInput => ({
  name: "x",
  type,
  dims,
});
const vector = input(["N", 2]);
const tokens: ModelInput = { name: "input_ids", type: "int64", dims: ["N", "T"] };
type Files = Readonly<Record<string, Uint8Array | string>>;

function open(files: Files, path: string | undefined, options: Partial<DataOptions> = {}): Promise<Dataset> {
  const blobs = Object.entries(files).map(([name, content]) => [name, new Blob([content as string])] as const);
  return openDataIn(folderOfFiles(blobs, "folder"), path, { inputs: [vector], decodeImage: decodePlain, ...options });
}
const rowsNpy = writeNpy(float32([3, 2], [1, 2, 3, 4, 5, 6]));

/** An idx file: element type, dims, bytes. */
function idx(type: number, dims: readonly number[], bytes: readonly number[]): Uint8Array {
  const out = Buffer.alloc(4 + 4 * dims.length + bytes.length);
  out.set([0, 0, type, dims.length]);
  dims.forEach((dim, axis) => out.writeUInt32BE(dim, 4 + 4 * axis));
  out.set(bytes, 4 + 4 * dims.length);
  return new Uint8Array(out);
}
/** CIFAR records whose pixels all have the record's number as their value. */
const cifar = (labels: readonly (readonly number[])[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(labels.map((label, i) => Buffer.concat([Uint8Array.from(label), Buffer.alloc(3072, i)]))),
  );
const ppm = (...pixel: readonly [number, number, number]): Uint8Array =>
  new Uint8Array(Buffer.concat([Buffer.from("P6 1 1 255\n"), Uint8Array.from(pixel)]));
const values = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number | bigint>, Number);
const first = async (data: Dataset, index = 0): Promise<number[]> =>
  values(Object.values((await data.sample(index)).inputs)[0]);

describe("npy", () => {
  test("with its labels beside it", async () => {
    const data = await open({ "a.npy": rowsNpy, "a.labels.json": "[5, 6, 7]" }, "a.npy");
    expect([data.kind, data.length, data.labelled]).toEqual(["npy", 3, true]);
    expect(await data.sample(2)).toEqual({ inputs: { x: float32([1, 2], [5, 6]) }, label: 7, id: "a.npy#2" });
  });

  test("packed, alone in a folder, and taken in part", async () => {
    const data = await open({ "deep/a.npy.gz": gzipSync(rowsNpy), "deep/readme.md": "" }, undefined, { samples: 2 });
    expect([data.kind, data.length]).toEqual(["npy", 2]);
    expect(await first(data, 1)).toEqual([5, 6]);
  });

  test("for a model of two inputs is refused with the way out", async () => {
    await expect(
      open({ "a.npy": rowsNpy }, "a.npy", { inputs: [vector, { ...vector, name: "y" }] }),
    ).rejects.toMatchObject({
      code: "data/shape",
      hint: expect.stringContaining(".npz"),
    });
  });
});

describe("npz", () => {
  const labels = writeNpy(int64([3], [2, 1, 0]));

  test("feeds inputs by name; one number is the same for all samples", async () => {
    const rate: ModelInput = { name: "rate", type: "int64", dims: [] };
    const file = zipSync({ "x.npy": rowsNpy, "rate.npy": writeNpy(int64([], [16000])), "y.npy": labels });
    const data = await open({ "a.npz": file }, "a.npz", { inputs: [vector, rate] });
    expect(await data.sample(1)).toEqual({
      inputs: { x: float32([1, 2], [3, 4]), rate: int64([], [16000]) },
      label: 1,
      id: "a.npz#1",
    });
  });

  test("feeds the only input from the only array, whatever its name", async () => {
    const data = await open({ "a.npz": zipSync({ "arr_0.npy": rowsNpy, "labels.npy": labels }) }, "a.npz");
    expect([await first(data), (await data.sample(0)).label]).toEqual([[1, 2], 2]);
  });

  test("an array called y is data for a model with an input called y", async () => {
    const y: ModelInput = { ...vector, name: "y" };
    expect((await open({ "a.npz": zipSync({ "y.npy": rowsNpy }) }, "a.npz", { inputs: [y] })).labelled).toBe(false);
  });

  test("without an array for an input is refused with the names there are", async () => {
    await expect(open({ "a.npz": zipSync({ "a.npy": rowsNpy, "b.npy": rowsNpy }) }, "a.npz")).rejects.toMatchObject({
      code: "data/shape",
      message: expect.stringContaining("it has a, b"),
    });
  });
});

describe("MNIST idx", () => {
  const images = idx(8, [2, 2, 2], [0, 255, 51, 102, 255, 0, 0, 0]);
  const labels = idx(8, [2], [7, 1]);
  const square = input([1, 1, 2, 2]);

  test("images and labels by their names, packed, in a folder", async () => {
    const files = { "t10k-images-idx3-ubyte.gz": gzipSync(images), "t10k-labels-idx1-ubyte.gz": gzipSync(labels) };
    const data = await open(files, undefined, { inputs: [square] });
    expect([data.kind, data.length, data.labelled, data.preprocess?.name]).toEqual(["idx", 2, true, "unit"]);
    expect(await first(data)).toEqual([0, 1, 0.2, 0.4].map(Math.fround));
    expect((await data.sample(1)).label).toBe(1);
    expect(data.diagnostics.map(({ code }) => code)).toContain("data/preprocess");
  });

  test("of train and t10k the latter is taken, and told", async () => {
    const files = {
      "train-images.idx3-ubyte": images,
      "train-labels.idx1-ubyte": labels,
      "t10k-images.idx3-ubyte": images,
    };
    const data = await open(files, undefined, { inputs: [square] });
    expect([data.name, data.labelled, data.diagnostics[0].code]).toEqual([
      "t10k-images.idx3-ubyte",
      false,
      "data/split",
    ]);
  });

  test("feed flat models, larger models and models of three channels", async () => {
    const file = { "a-images-idx3-ubyte": images };
    const dims = async (to: ModelInput) =>
      (await (await open(file, "a-images-idx3-ubyte", { inputs: [to] })).sample(0)).inputs.x.dims;
    expect(await dims(input(["N", 4]))).toEqual([1, 4]);
    expect(await dims(input(["N", 1, 5, 5]))).toEqual([1, 1, 5, 5]);
    expect(await dims(input(["N", 2, 2, 3]))).toEqual([1, 2, 2, 3]);
  });

  test("of other numbers are arrays", async () => {
    const data = await open({ "a.idx2": idx(0x0b, [2, 2], [0, 1, 0, 2, 255, 255, 0, 0]) }, "a.idx2");
    expect([await first(data, 1), data.preprocess]).toEqual([[-1, 0], undefined]);
    expect(data.diagnostics.map(({ code }) => code)).toEqual(["data/cast"]);
  });

  test.each<[string, Files, string]>([
    ["cut short", { "a.idx3": images.subarray(0, -1) }, "data/malformed"],
    ["cut inside the header", { "a.idx3": images.subarray(0, 10) }, "data/malformed"],
    ["of 2⁹⁶ pixels", { "a.idx3": idx(8, [0xffffffff, 0xffffffff, 0xffffffff], []) }, "data/malformed"],
    ["of an unknown type", { "a.idx3": idx(7, [2, 2, 2], []) }, "data/malformed"],
    ["with too few labels", { "a-images-idx3-ubyte": images, "a-labels-idx1-ubyte": idx(8, [1], [1]) }, "data/labels"],
    ["with labels that are images", { "a-images-idx3-ubyte": images, "a-labels-idx1-ubyte": images }, "data/labels"],
  ])("%s: refused", async (_, files, code) => {
    await expect(open(files, Object.keys(files)[0], { inputs: [square] })).rejects.toMatchObject({ code });
  });
});

describe("CIFAR", () => {
  const image = input(["N", 3, 32, 32]);

  test("CIFAR-10 has one label, CIFAR-100 a coarse and a fine one", async () => {
    const ten = await open({ "data.bin": cifar([[3], [9]]) }, "data.bin", { inputs: [image], preprocess: "raw" });
    expect([ten.kind, ten.length, (await ten.sample(1)).label]).toEqual(["cifar", 2, 9]);
    expect((await first(ten, 1)).every((value) => value === 1)).toBe(true);
    const hundred = await open(
      {
        "data.bin": cifar([
          [19, 99],
          [0, 42],
        ]),
      },
      "data.bin",
      { inputs: [image] },
    );
    expect([(await hundred.sample(0)).label, hundred.preprocess?.name]).toEqual([99, "cifar"]);
  });

  test("a folder of batches is one data set; of one with training and test files, the test files", async () => {
    const batches = { "data_batch_1.bin": cifar([[1]]), "data_batch_2.bin": cifar([[2], [3]]) };
    const all = await open(batches, undefined, { inputs: [image], preprocess: "raw" });
    expect(await Promise.all([0, 1, 2].map(async (i) => (await all.sample(i)).label))).toEqual([1, 2, 3]);
    expect(await first(all, 2)).toContain(1);
    const test = await open({ ...batches, "test_batch.bin": cifar([[4]]) }, undefined, { inputs: [image] });
    expect([test.length, (await test.sample(0)).label, test.diagnostics[0].code]).toEqual([1, 4, "data/split"]);
  });

  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array(0)],
    ["no whole records", new Uint8Array(3072)],
    ["labels beyond the classes", cifar([[3], [10]])],
  ])("%s: refused", async (_, file) => {
    await expect(open({ "a.bin": file }, "a.bin", { inputs: [image] })).rejects.toMatchObject({
      code: "data/malformed",
    });
  });
});

describe("raw numbers with a description", () => {
  const description = { data: "f.bin", element: "int8", shape: [2], scale: 0.5, zeroPoint: 1, labels: "l.json" };
  const files = (change: object = {}): Files => ({
    "d.json": JSON.stringify({ ...description, ...change }),
    "f.bin": Uint8Array.of(1, 3, 255, 5),
    "l.json": '{"classes": ["no", "yes"], "labels": [1, 0]}',
  });

  test("become (q − zero point) · scale", async () => {
    const data = await open(files(), "d.json");
    expect([data.kind, data.length, data.classes]).toEqual(["features", 2, ["no", "yes"]]);
    expect([await first(data, 0), await first(data, 1)]).toEqual([
      [0, 1],
      [-1, 2],
    ]);
  });

  test("are fed as they are without a scale, and the labels may stand in the description", async () => {
    const data = await open(files({ scale: undefined, zeroPoint: undefined, labels: [4, 2] }), "d.json");
    expect([await first(data), (await data.sample(1)).label]).toEqual([[1, 3], 2]);
    expect(data.diagnostics.map(({ code }) => code)).toEqual(["data/cast"]);
  });

  test.each<[string, object, string]>([
    ["an unknown key", { sample: 1 }, "data/malformed"],
    ["an unknown element type", { element: "int7" }, "data/malformed"],
    ["a shape that does not divide the file", { shape: [3] }, "data/malformed"],
    ["a shape of zero", { shape: [0] }, "data/malformed"],
    ["data outside its folder", { data: "../f.bin" }, "data/malformed"],
    ["data of the machine", { data: "/etc/passwd" }, "data/malformed"],
    ["labels outside its folder", { labels: "../l.json" }, "data/malformed"],
    ["data that is not there", { data: "g.bin" }, "io/not-found"],
    ["labels that are not there", { labels: "m.json" }, "io/not-found"],
    ["too few labels", { labels: [1] }, "data/labels"],
  ])("%s: refused", async (_, change, code) => {
    await expect(open(files(change), "d.json")).rejects.toMatchObject({ code });
  });
});

describe("JSONL", () => {
  const lines = (...rows: readonly unknown[]): Files => ({
    "a.jsonl": rows.map((row) => JSON.stringify(row)).join("\n"),
  });

  test.each<[string, Files]>([
    ["inputs by name", lines({ inputs: { x: [1, 2] }, label: 3 }, { inputs: { x: [3, 4] }, label: 4 })],
    ["inputs without a wrapper", lines({ x: [1, 2], label: 3 }, { x: [3, 4], label: 4 })],
    [
      "blank lines and carriage returns",
      { "a.jsonl": '\n{"x": [1, 2], "label": 3}\r\n\r\n{"x": [3, 4], "label": 4}\n' },
    ],
  ])("%s", async (_, files) => {
    const data = await open(files, "a.jsonl");
    expect([data.kind, data.length, data.labelled]).toEqual(["jsonl", 2, true]);
    expect(await data.sample(1)).toEqual({ inputs: { x: float32([1, 2], [3, 4]) }, label: 4, id: "a.jsonl#1" });
  });

  test("bare arrays feed the only input", async () => {
    const data = await open(lines([1, 2], [3, 4]), "a.jsonl");
    expect([data.labelled, await first(data, 1)]).toEqual([false, [3, 4]]);
  });

  test("whole numbers feed whole inputs, bools too", async () => {
    const mask: ModelInput = { name: "mask", type: "int32", dims: ["N", "T"] };
    const data = await open(lines({ input_ids: [[5, 6]], mask: [true, false] }), "a.jsonl", { inputs: [tokens, mask] });
    expect((await data.sample(0)).inputs).toEqual({
      input_ids: int64([1, 2], [5, 6]),
      mask: { type: "int32", dims: [1, 2], data: Int32Array.of(1, 0) },
    });
  });

  test("texts need a tokenizer", async () => {
    const files = lines({ text: "ab" }, { text: "cde" });
    await expect(open(files, "a.jsonl", { inputs: [tokens] })).rejects.toMatchObject({ code: "data/tokenizer" });
    const tokenize = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
    const data = await open(files, "a.jsonl", { inputs: [tokens], tokenize });
    expect([data.length, await first(data, 1)]).toEqual([2, [99, 100, 101]]);
  });

  test.each<[string, string, string, number]>([
    ["no JSON", '[1, 2]\n{"x": ', "data/malformed", 2],
    ["ragged lists", "[1, 2]\n\n[[1], [2, 3]]", "data/malformed", 3],
    ["a number beside a list", "[1, 2]\n[1, [2]]", "data/malformed", 2],
    ["text for a number", '[1, 2]\n[1, "2"]', "data/malformed", 2],
    ["another shape", "[1, 2]\n[1, 2, 3]", "data/shape", 2],
    ["a missing input", '{"x": [1, 2]}\n{"y": [1, 2]}', "data/shape", 2],
    ["a missing label", '{"x": [1, 2], "label": 1}\n{"x": [1, 2]}', "data/labels", 2],
    ["a label of half", '{"x": [1, 2], "label": 1}\n{"x": [1, 2], "label": 0.5}', "data/labels", 2],
    ["inputs that are none", '[1, 2]\n{"inputs": 3}', "data/malformed", 2],
  ])("%s is told with its line", async (_, text, code, line) => {
    const data = await open({ "a.jsonl": text }, "a.jsonl");
    await expect(data.sample(1)).rejects.toMatchObject({ code, at: { file: "a.jsonl", line } });
  });

  test("a file that does not fit the model, or has no line, is refused when it is opened", async () => {
    await expect(open(lines([1, 2, 3]), "a.jsonl")).rejects.toMatchObject({ code: "data/shape" });
    await expect(open({ "a.jsonl": " \n\n" }, "a.jsonl")).rejects.toMatchObject({ code: "data/none" });
    await expect(open(lines([1, 2]), "a.jsonl", { limits: { jsonBytes: 3 } })).rejects.toMatchObject({
      code: "limit/memory",
      at: { line: 1 },
    });
  });
});

describe("tokens and text", () => {
  test.each<[string, string, number]>([
    ["a list for each text", "[[1, 2, 3], [4, 5]]", 2],
    ["one text", "[1, 2, 3]", 1],
    ["wrapped", '{"ids": [[1, 2, 3]]}', 1],
  ])("token ids: %s", async (_, text, length) => {
    const data = await open({ "a.json": text }, "a.json", { inputs: [tokens] });
    expect([data.kind, data.length, await first(data)]).toEqual(["tokens", length, [1, 2, 3]]);
  });

  test.each(["[[1, -2]]", "[[1, 2.5]]", '[[1, "a"]]', "[[1], 2]", "[[1, 4294967296]]"])(
    "%s are no token ids",
    async (text) => {
      await expect(open({ "a.json": text }, "a.json", { inputs: [tokens] })).rejects.toMatchObject({
        code: "data/malformed",
      });
    },
  );

  test("plain text is refused with the way out, and read with a tokenizer", async () => {
    await expect(open({ "a.txt": "hello" }, "a.txt", { inputs: [tokens] })).rejects.toMatchObject({
      code: "data/tokenizer",
      hint: expect.stringContaining("tokenizer.json"),
    });
    const data = await open({ "a.txt": "hello" }, undefined, {
      inputs: [tokens],
      tokenize: (text) => Array.from(text, (_, i) => i),
      sequenceLength: 3,
    });
    expect([data.kind, data.length, await first(data, 1)]).toEqual(["text", 2, [3, 4]]);
  });
});

describe("images", () => {
  const one = input([1, 3, 1, 1]);
  const files = { "cat/a.ppm": ppm(255, 0, 51), "dog/b.ppm": ppm(0, 0, 0), "notes.txt": "" };

  test("of a folder, with what was assumed", async () => {
    const data = await open(files, undefined, { inputs: [one] });
    expect([data.kind, data.length, data.labelled, data.classes]).toEqual(["images", 2, true, ["cat", "dog"]]);
    expect(data.diagnostics.map(({ code }) => code)).toEqual([
      "data/classes",
      "data/ignored",
      "data/preprocess",
      "data/guess",
    ]);
    expect(await first(data)).toEqual([(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225].map(Math.fround));
  });

  test("one of a folder is one sample, with its label where the list has it", async () => {
    const labels = { "labels.json": '[{"file": "dog/b.ppm", "label": 8}, {"file": "cat/a.ppm", "label": 3}]' };
    const data = await open({ ...files, ...labels }, "cat/a.ppm", { inputs: [one], preprocess: "unit" });
    expect([data.length, (await data.sample(0)).label]).toEqual([1, 3]);
  });

  test("dropped on a page, in their order", async () => {
    const blobs = [
      new File([ppm(9, 9, 9) as Uint8Array<ArrayBuffer>], "nine.ppm"),
      new Blob([ppm(5, 5, 5) as Uint8Array<ArrayBuffer>]),
    ];
    const data = dataFromImages(blobs, { inputs: [one], preprocess: "raw", labels: [1, 0], decodeImage: decodePlain });
    expect([await first(data, 0), (await data.sample(0)).id, (await data.sample(1)).id]).toEqual([
      [9, 9, 9],
      "nine.ppm",
      "image 1",
    ]);
  });

  test("that are broken, or none, are told by name when they are read", async () => {
    const data = await open({ "a.png": "no image", "b.ppm": ppm(1, 2, 3) }, undefined, {
      inputs: [one],
      preprocess: "raw",
    });
    await expect(data.sample(0)).rejects.toMatchObject({ code: "data/decoder", at: { file: "a.png" } });
    expect(await first(data, 1)).toEqual([1, 2, 3]);
    expect(() => dataFromImages([], { inputs: [one] })).toThrow(expect.objectContaining({ code: "data/none" }));
  });
});

describe("finding the kind", () => {
  test("by the first bytes, whatever the name", async () => {
    expect((await open({ data: rowsNpy }, "data")).kind).toBe("npy");
    expect((await open({ "x.bin": zipSync({ "x.npy": rowsNpy }) }, "x.bin")).kind).toBe("npz");
  });

  test("or as told", async () => {
    await expect(open({ "a.json": "[1, 2]" }, "a.json", { inputs: [tokens], kind: "features" })).rejects.toMatchObject({
      code: "data/malformed",
    });
    expect((await open({ "a.data": "[1, 2]" }, "a.data", { kind: "jsonl" })).kind).toBe("jsonl");
  });

  test.each<[string, Files, string | undefined, string]>([
    ["a file of no kind", { "a.xyz": "?" }, "a.xyz", "data/unsupported"],
    ["a folder of two data sets", { "a.npy": rowsNpy, "b.npy": rowsNpy }, undefined, "data/unsupported"],
    ["a folder of nothing", { "a.xyz": "?" }, undefined, "data/none"],
    ["an empty folder", {}, undefined, "data/none"],
    ["a file that is not there", {}, "a.npy", "io/not-found"],
  ])("%s: refused", async (_, files, path, code) => {
    await expect(open(files, path)).rejects.toMatchObject({ code });
  });

  test("every kind says what it reads, in the message for what none reads", async () => {
    const hint = await open({ "a.xyz": "?" }, "a.xyz").catch((error: { hint: string }) => error.hint);
    for (const { about } of Object.values(dataKinds)) expect(hint).toContain(about);
  });
});
