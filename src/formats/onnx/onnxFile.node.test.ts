/** Models whose weights lie in a second file: what is opened, what never is, and how both are saved. */
import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platform } from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { BytesSink } from "#base/bytes";
import { writeOnnx } from "#formats/onnx/index";
import { openOnnxFile, saveOnnxFile } from "#formats/onnx/onnxFile.node";
import type { Model } from "#model/model";
import { packTensor, type Tensor } from "#model/tensor";
import { readWeight, weight } from "#model/weights";

const root = mkdtempSync(join(tmpdir(), "lowbit-onnx-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
function freshFolder(): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
}

const large: Tensor = { type: "float32", dims: [1000], data: Float32Array.from({ length: 1000 }, (_, i) => i / 3) };
const paged: Tensor = { type: "uint8", dims: [100_000], data: Uint8Array.from({ length: 100_000 }, (_, i) => i % 255) };
const small: Tensor = { type: "int64", dims: [2], data: BigInt64Array.of(1n, -1n) };

function modelOf(weights: Readonly<Record<string, Tensor>>, extra: Partial<Model["graph"]> = {}): Model {
  const graph: Model["graph"] = {
    name: "g",
    nodes: [],
    inputs: [],
    outputs: Object.keys(weights).map((name) => ({ name, type: undefined, doc: "", metadata: new Map() })),
    initializers: new Map(Object.entries(weights).map(([name, value]) => [name, weight(name, value)])),
    values: new Map(),
    doc: "",
    metadata: new Map(),
    ...extra,
  };
  return {
    irVersion: 10,
    opsets: new Map([["", 21]]),
    graph,
    functions: [],
    producer: { name: "test", version: "" },
    domain: "",
    modelVersion: 0,
    doc: "",
    metadata: new Map(),
  };
}

async function weightsOf(path: string): Promise<Record<string, unknown>> {
  const { model, close } = await openOnnxFile(path);
  const found: Record<string, unknown> = {};
  for (const [name, ref] of model.graph.initializers) found[name] = (await readWeight(ref)).data;
  await close();
  return found;
}

/** A model file that refers to `location`, which is not written. */
async function modelReferringTo(location: string, path: string): Promise<void> {
  const sink = new BytesSink();
  const plain = "w".repeat(location.length);
  await writeOnnx(modelOf({ large }), sink, { external: { location: plain, sink: new BytesSink() } });
  // our own writer refuses such locations: patch the bytes
  const bytes = Buffer.from(sink.bytes());
  const at = bytes.indexOf(plain);
  bytes.write(location, at);
  writeFileSync(path, bytes);
}

describe("weights in a second file", () => {
  test("are saved beside the model and read back", async () => {
    const path = join(freshFolder(), "model.onnx");
    const written = await saveOnnxFile(modelOf({ large, paged, small }), path, { externalData: true });
    expect(written.files).toEqual([`${path}_data`, path]);
    expect(statSync(path).size).toBe(written.bytes);
    expect(statSync(`${path}_data`).size).toBe(written.externalBytes);
    expect(await weightsOf(path)).toEqual({ large: large.data, paged: paged.data, small: small.data });
  });

  test("start on a page when they are large, on a cache line otherwise; what is under 1 KB stays in the model", async () => {
    const path = join(freshFolder(), "model.onnx");
    await saveOnnxFile(modelOf({ large, paged, small, last: large }), path, { externalData: true });
    const { model, close } = await openOnnxFile(path);
    const places = Array.from(model.graph.initializers, ([name, { data }]) => [
      name,
      data.kind === "range" ? data.offset : "inside",
    ]);
    // `last` is the array of `large`: written once
    expect(places).toEqual([
      ["large", 0],
      ["paged", 4096],
      ["small", "inside"],
      ["last", 0],
    ]);
    await close();
  });

  test("are not needed for a small model", async () => {
    const path = join(freshFolder(), "model.onnx");
    expect((await saveOnnxFile(modelOf({ large }), path)).files).toEqual([path]);
    expect((await saveOnnxFile(modelOf({ small }), path, { externalData: true })).files).toEqual([path]);
  });

  test("are missing by name", async () => {
    const folder = freshFolder();
    const path = join(folder, "model.onnx");
    await saveOnnxFile(modelOf({ large }), path, { externalData: true });
    rmSync(`${path}_data`);
    await expect(openOnnxFile(path)).rejects.toMatchObject({ code: "io/not-found", at: { tensor: "large" } });
  });

  test("that are too short are refused when the model is opened", async () => {
    const path = join(freshFolder(), "model.onnx");
    await saveOnnxFile(modelOf({ large }), path, { externalData: true });
    writeFileSync(`${path}_data`, readFileSync(`${path}_data`).subarray(0, 3999));
    await expect(openOnnxFile(path)).rejects.toMatchObject({ code: "onnx/external-data", at: { tensor: "large" } });
  });

  test("may lie in a folder below", async () => {
    const folder = freshFolder();
    await modelReferringTo("below/weights", join(folder, "model.onnx"));
    mkdirSync(join(folder, "below"));
    writeFileSync(join(folder, "below", "weights"), packTensor(large));
    expect(await weightsOf(join(folder, "model.onnx"))).toEqual({ large: large.data });
  });
});

describe.skipIf(platform === "win32")("a file outside the model's folder is never read", () => {
  const outside = freshFolder();
  const canary = join(outside, "canary");
  writeFileSync(canary, new Uint8Array(4000));

  const spellings = [
    "../0/canary",
    "a/../../0/canary",
    canary,
    `./${"x".repeat(4)}`,
    "..\\0\\canary",
    "w\0x",
    "a//canary",
    "C:canary",
  ];
  test.each(spellings)("by the spelling %j", async (location) => {
    const folder = freshFolder();
    await modelReferringTo(location, join(folder, "model.onnx"));
    mkdirSync(join(folder, "a"));
    const before = new Date(2001, 1, 1);
    utimesSync(canary, before, before);
    await expect(openOnnxFile(join(folder, "model.onnx"))).rejects.toMatchObject({ code: "onnx/external-data" });
    expect(statSync(canary).atime).toEqual(before);
  });

  const tricks: Record<string, (folder: string) => void> = {
    "a link": (folder) => symlinkSync(canary, join(folder, "weights")),
    "a relative link": (folder) => symlinkSync("../0/canary", join(folder, "weights")),
    "a link to a link": (folder) => {
      symlinkSync(canary, join(folder, "step"));
      symlinkSync("step", join(folder, "weights"));
    },
  };
  test.each(Object.entries(tricks))("through %s", async (_, trick) => {
    const folder = freshFolder();
    await modelReferringTo("weights", join(folder, "model.onnx"));
    trick(folder);
    await expect(openOnnxFile(join(folder, "model.onnx"))).rejects.toMatchObject({ code: "onnx/external-data" });
  });

  test("through a folder that is a link", async () => {
    const folder = freshFolder();
    await modelReferringTo("below/canary", join(folder, "model.onnx"));
    symlinkSync(outside, join(folder, "below"));
    await expect(openOnnxFile(join(folder, "model.onnx"))).rejects.toMatchObject({ code: "onnx/external-data" });
  });

  test("through a folder whose name only begins alike", async () => {
    const folder = freshFolder();
    mkdirSync(`${folder}-secret`);
    writeFileSync(join(`${folder}-secret`, "weights"), new Uint8Array(4000));
    await modelReferringTo("weights", join(folder, "model.onnx"));
    symlinkSync(join(`${folder}-secret`, "weights"), join(folder, "weights"));
    await expect(openOnnxFile(join(folder, "model.onnx"))).rejects.toMatchObject({ code: "onnx/external-data" });
  });

  test("nor is a pipe, a device or a folder, without waiting", async () => {
    for (const make of [
      (path: string) => execFileSync("mkfifo", [path]),
      (path: string) => symlinkSync("/dev/zero", path),
      (path: string) => mkdirSync(path),
    ]) {
      const folder = freshFolder();
      await modelReferringTo("weights", join(folder, "model.onnx"));
      make(join(folder, "weights"));
      await expect(openOnnxFile(join(folder, "model.onnx"))).rejects.toMatchObject({ code: "io/read" });
    }
  });

  test("a hard link is told, or refused where models come from strangers", async () => {
    const folder = freshFolder();
    await modelReferringTo("weights", join(folder, "model.onnx"));
    linkSync(canary, join(folder, "weights"));
    const { diagnostics, close } = await openOnnxFile(join(folder, "model.onnx"));
    expect(diagnostics).toMatchObject([{ code: "onnx/hard-link", level: "warning" }]);
    await close();
    await expect(openOnnxFile(join(folder, "model.onnx"), { hardLinks: "refuse" })).rejects.toMatchObject({
      code: "onnx/external-data",
    });
  });

  test("but the Hugging Face cache works, whose snapshots are links into a folder of blobs", async () => {
    const folder = freshFolder();
    mkdirSync(join(folder, "blobs"));
    mkdirSync(join(folder, "snapshots"));
    const snapshot = join(folder, "snapshots", "rev");
    mkdirSync(snapshot);
    await saveOnnxFile(modelOf({ large }), join(folder, "model.onnx"), { externalData: true });
    execFileSync("mv", [join(folder, "model.onnx"), join(folder, "blobs", "aaaa")]);
    execFileSync("mv", [join(folder, "model.onnx_data"), join(folder, "blobs", "bbbb")]);
    symlinkSync("../../blobs/aaaa", join(snapshot, "model.onnx"));
    symlinkSync("../../blobs/bbbb", join(snapshot, "model.onnx_data"));
    expect(await weightsOf(join(snapshot, "model.onnx"))).toEqual({ large: large.data });
  });

  test("and a model that is a link finds its weights where it really is", async () => {
    const folder = freshFolder();
    await saveOnnxFile(modelOf({ large }), join(folder, "model.onnx"), { externalData: true });
    const link = join(freshFolder(), "renamed.onnx");
    symlinkSync(join(folder, "model.onnx"), link);
    expect(await weightsOf(link)).toEqual({ large: large.data });
  });
});

describe("saving", () => {
  test("over the files a model is read from works, with and without a weights file", async () => {
    for (const externalData of [true, false]) {
      const folder = freshFolder();
      const path = join(folder, "model.onnx");
      await saveOnnxFile(modelOf({ large, paged }), path, { externalData });
      const { model, close } = await openOnnxFile(path);
      await saveOnnxFile({ ...model, producer: { name: "again", version: "2" } }, path, { externalData });
      await close();
      expect(await weightsOf(path)).toEqual({ large: large.data, paged: paged.data });
      expect(readdirSync(folder).sort()).toEqual(externalData ? ["model.onnx", "model.onnx_data"] : ["model.onnx"]);
    }
  });

  test("gives the same bytes every time, wherever the weights come from", async () => {
    const folder = freshFolder();
    const paths = ["a", "b", "c"].map((name) => join(folder, name, "model.onnx"));
    for (const name of ["a", "b", "c"]) mkdirSync(join(folder, name));
    const model = modelOf({ large, paged, small });
    await saveOnnxFile(model, paths[0], { externalData: true });
    await saveOnnxFile(model, paths[1], { externalData: true });
    const { model: read, close } = await openOnnxFile(paths[0]);
    await saveOnnxFile(read, paths[2], { externalData: true });
    await close();
    for (const end of ["", "_data"]) {
      const first = readFileSync(paths[0] + end);
      for (const path of paths) expect(readFileSync(path + end).equals(first)).toBe(true);
    }
  });

  test("a model whose weights file changed since it was opened fails and writes nothing", async () => {
    const folder = freshFolder();
    const path = join(folder, "model.onnx");
    await saveOnnxFile(modelOf({ large }), path, { externalData: true });
    const { model, close } = await openOnnxFile(path);
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(`${path}_data`, new Uint8Array(4000));
    await expect(saveOnnxFile(model, join(folder, "copy.onnx"))).rejects.toMatchObject({ code: "io/changed" });
    expect(readdirSync(folder).sort()).toEqual(["model.onnx", "model.onnx_data"]);
    await close();
  });

  test("stops when asked to, and writes nothing", async () => {
    const folder = freshFolder();
    const abort = new AbortController();
    const stopped = saveOnnxFile(modelOf({ large, paged }), join(folder, "model.onnx"), {
      externalData: true,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: "run/interrupted" });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a protobuf over 2 GiB is refused before anything is written", async () => {
    const gigabyte = { kind: "lazy", length: 2 ** 30, load: () => Promise.reject(new Error("never asked")) } as const;
    const huge = { ...weight("a", small), element: "uint8", dims: [2 ** 30], data: gigabyte } as const;
    const model = modelOf({}, { initializers: new Map(["a", "b"].map((name) => [name, { ...huge, name }])) });
    const folder = freshFolder();
    await expect(saveOnnxFile(model, join(folder, "model.onnx"), { externalData: false })).rejects.toMatchObject({
      code: "onnx/limit",
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("under a name that a model could not refer to is refused", async () => {
    const folder = freshFolder();
    await expect(
      saveOnnxFile(modelOf({ large }), join(folder, "a:b.onnx"), { externalData: true }),
    ).rejects.toMatchObject({
      code: "onnx/external-data",
    });
  });
});
