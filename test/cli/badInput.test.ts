/** What goes wrong at the command line: each mistake is told by a code, a place and a hint, and leaves every file as it was. */
import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { float32, tensor } from "#model/tensor";
import { int, message, modelAround, text } from "../hostile/wire";
import { node } from "../onnxBuilder";
import { type Finished, installLowbit, type Lowbit } from "./lowbit";
import { noise, npyFile, smallData, smallGraph, smallModel } from "./models";

let lowbit: Lowbit;
beforeAll(() => {
  lowbit = installLowbit();
}, 60_000);
afterAll(() => lowbit.remove());

const old = "what was here before";
const path = (name: string): string => join(lowbit.work, name);

/** A folder with a good model, good data and an old output, made anew for each test. */
beforeEach(() => {
  lowbit.clear();
  mkdirSync(lowbit.work, { recursive: true });
  writeFileSync(path("model.onnx"), smallModel());
  writeFileSync(path("data.npy"), smallData(12));
  writeFileSync(path("out.onnx"), old);
  utimesSync(path("out.onnx"), 1_000_000, 1_000_000);
});

interface Case {
  readonly what: string;
  readonly args?: readonly string[];
  /** Files beside the good ones. */
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
  readonly before?: () => void;
  readonly code: string;
  readonly exit: number;
  /** What the message must name. */
  readonly names: readonly string[];
}

const quantize = ["quantize", "model.onnx", "-o", "out.onnx", "--data", "data.npy", "--calibrate", "4"];
const of = (model: string, ...more: readonly string[]): string[] => ["quantize", model, "-o", "out.onnx", ...more];
const withData = (model: string): string[] => of(model, "--data", "data.npy", "--calibrate", "4");

const whole = smallModel();
const cut = (share: number): Uint8Array => whole.subarray(0, Math.floor(whole.byteLength * share));
const external = (location: string): Uint8Array =>
  modelAround(
    message(5, text(8, "w"), int(1, 1), int(2, 1), int(14, 1), message(13, text(1, "location"), text(2, location))),
  );
const broken = (name: string, index: number, value: number): Uint8Array => {
  const ref = smallGraph.initializers?.[name] ?? float32([], []);
  const data = Float32Array.from(ref.data as Float32Array);
  data[index] = value;
  return smallModel({ initializers: { ...smallGraph.initializers, [name]: { ...ref, data } } });
};

const models: readonly Case[] = [
  { what: "no such model", args: withData("nothing.onnx"), code: "io/not-found", exit: 4, names: ["nothing.onnx"] },
  { what: "a folder as the model", args: withData("."), code: "io/read", exit: 4, names: ["."] },
  {
    what: "an empty file",
    args: withData("m.onnx"),
    files: { "m.onnx": "" },
    code: "onnx/truncated",
    exit: 1,
    names: ["m.onnx"],
  },
  ...[0.02, 0.3, 0.7, 0.999].map((share) => ({
    what: `a model cut at ${share * 100} %`,
    args: withData("m.onnx"),
    files: { "m.onnx": cut(share) },
    code: "onnx/truncated",
    exit: 1,
    names: ["m.onnx", "byte"],
  })),
  {
    what: "a text file as the model",
    args: withData("m.onnx"),
    files: { "m.onnx": "this is no model\n" },
    code: "onnx/",
    exit: 1,
    names: ["m.onnx", "byte"],
  },
  {
    what: "a model that is a web page",
    args: withData("m.onnx"),
    files: { "m.onnx": "<!DOCTYPE html><html><body>Not found</body></html>" },
    code: "onnx/",
    exit: 1,
    names: ["m.onnx"],
  },
  {
    what: "a cyclic graph",
    args: withData("m.onnx"),
    files: {
      "m.onnx": smallModel({
        nodes: [node("Add", ["image", "b"], ["a"]), node("Relu", ["a"], ["b"])],
        outputs: { b: undefined },
      }),
    },
    code: "model/cycle",
    exit: 1,
    names: ["m.onnx"],
  },
  {
    what: "an input that nothing defines",
    args: withData("m.onnx"),
    files: { "m.onnx": smallModel({ nodes: smallGraph.nodes.slice(1) }) },
    code: "model/missing-tensor",
    exit: 1,
    names: ["m.onnx", "c1"],
  },
  {
    what: "an attribute of another type",
    args: withData("m.onnx"),
    files: {
      "m.onnx": smallModel({
        nodes: smallGraph.nodes.map((each) => (each.name === "stem" ? { ...each, attributes: { pads: "one" } } : each)),
      }),
    },
    code: "",
    exit: 1,
    names: ["m.onnx", "pads"],
  },
  {
    what: "weights of another type",
    args: withData("m.onnx"),
    files: {
      "m.onnx": smallModel({
        initializers: { ...smallGraph.initializers, w2: tensor("int32", [16, 16, 3, 3], new Int32Array(2304)) },
      }),
    },
    code: "runtime/load",
    exit: 1,
    names: ["m.onnx"],
  },
  {
    what: "weights of another shape",
    args: withData("m.onnx"),
    files: { "m.onnx": smallModel({ initializers: { ...smallGraph.initializers, w2: noise([16, 15, 3, 3]) } }) },
    code: "runtime/",
    exit: 1,
    names: ["m.onnx"],
  },
  {
    what: "an operator that nobody knows",
    args: withData("m.onnx"),
    files: {
      "m.onnx": smallModel({ nodes: [...smallGraph.nodes.slice(0, -1), node("Classify", ["f", "w3"], ["scores"])] }),
    },
    code: "runtime/load",
    exit: 1,
    names: ["m.onnx", "Classify"],
  },
  {
    what: "an operator set of the far future",
    args: withData("m.onnx"),
    files: { "m.onnx": smallModel({}, { opset: 99, irVersion: 8 }) },
    code: "",
    exit: 1,
    names: ["m.onnx", "99"],
  },
  {
    what: "weights outside the folder",
    args: withData("m.onnx"),
    files: { "m.onnx": external("../../etc/passwd") },
    code: "onnx/external-data",
    exit: 1,
    names: ["m.onnx", "w", "../../etc/passwd"],
  },
  {
    what: "weights at an absolute path",
    args: withData("m.onnx"),
    files: { "m.onnx": external("/etc/passwd") },
    code: "onnx/external-data",
    exit: 1,
    names: ["m.onnx", "w", "/etc/passwd"],
  },
  {
    what: "weights behind a link out of the folder",
    args: withData("m.onnx"),
    files: { "m.onnx": external("weights.bin") },
    before: () => symlinkSync("/etc/hostname", path("weights.bin")),
    code: "onnx/external-data",
    exit: 1,
    names: ["weights.bin"],
  },
  {
    what: "weights in a file that is not there",
    args: withData("m.onnx"),
    files: { "m.onnx": external("weights.bin") },
    code: "io/not-found",
    exit: 4,
    names: ["weights.bin"],
  },
  {
    what: "NaN among the weights",
    args: withData("m.onnx"),
    files: { "m.onnx": broken("w2", 1234, Number.NaN) },
    code: "quant/non-finite",
    exit: 1,
    names: ["m.onnx", "w2", "1234", "NaN"],
  },
  {
    what: "infinity among the weights, when only weights are quantized",
    args: of("m.onnx", "-r", "w8"),
    files: { "m.onnx": broken("w2", 7, Number.NEGATIVE_INFINITY) },
    code: "quant/non-finite",
    exit: 1,
    names: ["m.onnx", "w2", "7", "-Infinity"],
  },
  {
    what: "NaN in a bias",
    args: withData("m.onnx"),
    files: { "m.onnx": broken("b2", 3, Number.NaN) },
    code: "quant/non-finite",
    exit: 1,
    names: ["m.onnx", "b2", "3"],
  },
  {
    what: "a model without anything to quantize",
    args: withData("m.onnx"),
    files: { "m.onnx": smallModel({ nodes: [node("Relu", ["image"], ["scores"])], initializers: {} }) },
    code: "plan/nothing-to-quantize",
    exit: 1,
    names: ["m.onnx"],
  },
];

const data: readonly Case[] = [
  {
    what: "no data where the recipe learns ranges",
    args: of("model.onnx", "-r", "w8a8"),
    code: "plan/no-calibration",
    exit: 1,
    names: ["model.onnx", "w8a8"],
  },
  {
    what: "no such data",
    args: of("model.onnx", "--data", "nothing.npy"),
    code: "io/not-found",
    exit: 4,
    names: ["nothing.npy"],
  },
  {
    what: "an empty folder of data",
    args: of("model.onnx", "--data", "empty"),
    before: () => mkdirSync(path("empty")),
    code: "data/none",
    exit: 1,
    names: ["empty"],
  },
  {
    what: "data of the wrong shape",
    args: of("model.onnx", "--data", "d.npy"),
    files: { "d.npy": npyFile([4, 1, 9, 8], new Float32Array(288)) },
    code: "data/shape",
    exit: 1,
    names: ["d.npy", "[1, 9, 8]", "[N, 1, 8, 8]"],
  },
  {
    what: "data of no samples",
    args: of("model.onnx", "--data", "d.npy"),
    files: { "d.npy": npyFile([0, 1, 8, 8], new Float32Array(0)) },
    code: "data/none",
    exit: 1,
    names: ["d.npy"],
  },
  {
    what: "data that is cut",
    args: of("model.onnx", "--data", "d.npy"),
    files: { "d.npy": smallData(4).subarray(0, 700) },
    code: "npy/malformed",
    exit: 1,
    names: ["d.npy"],
  },
  {
    what: "data that is something else",
    args: of("model.onnx", "--data", "d.bin"),
    files: { "d.bin": "hello" },
    code: "data/",
    exit: 1,
    names: ["d.bin"],
  },
  {
    what: "a damaged picture",
    args: of("model.onnx", "--data", "p", "--preprocess", "unit"),
    before: () => {
      mkdirSync(path("p"));
      writeFileSync(path("p/a.png"), Buffer.from("\x89PNG\r\n\x1a\nnot really", "latin1"));
    },
    code: "data/",
    exit: 1,
    names: ["a.png"],
  },
  {
    what: "an unknown preprocessing",
    args: [...quantize, "--preprocess", "imagenet-tensorflow"],
    code: "usage/argument",
    exit: 2,
    names: ["imagenet-tensorflow"],
  },
  {
    what: "a preprocessing file that is not there",
    args: [...quantize, "--preprocess", "./pre.json"],
    code: "io/not-found",
    exit: 4,
    names: ["pre.json"],
  },
  {
    what: "a metric that needs labels",
    args: [...quantize, "--metric", "top1"],
    code: "data/labels",
    exit: 1,
    names: ["top1"],
  },
  {
    what: "an output of the model that is not there",
    args: [...quantize, "--output-name", "logits"],
    code: "usage/argument",
    exit: 2,
    names: ["logits", "scores"],
  },
];

const usage: readonly Case[] = [
  {
    what: "an unknown recipe",
    args: [...quantize, "-r", "w3a3"],
    code: "usage/unknown-recipe",
    exit: 2,
    names: ["w3a3", "w8a8-dynamic"],
  },
  {
    what: "a recipe file that is not there",
    args: [...quantize, "-r", "mine.json"],
    code: "io/not-found",
    exit: 4,
    names: ["mine.json"],
  },
  {
    what: "a recipe file that is no JSON",
    args: [...quantize, "-r", "r.json"],
    files: { "r.json": "{w8a8" },
    code: "usage/argument",
    exit: 2,
    names: ["r.json"],
  },
  {
    what: "a recipe file with an unknown field",
    args: [...quantize, "-r", "r.json"],
    files: { "r.json": '{"extends":"w8a8","weight":"int4"}' },
    code: "usage/argument",
    exit: 2,
    names: ["r.json", "weight"],
  },
  {
    what: "a recipe file with a wrong scheme",
    args: [...quantize, "-r", "r.json"],
    files: { "r.json": '{"rules":[{"match":"body","weights":"int99"}]}' },
    code: "usage/scheme",
    exit: 2,
    names: ["int99"],
  },
  {
    what: "an unknown scheme",
    args: [...quantize, "--weights", "int9/channels"],
    code: "usage/scheme",
    exit: 2,
    names: ["int9/channels"],
  },
  {
    what: "an unknown runtime",
    args: [...quantize, "--target", "tensorrt"],
    code: "usage/argument",
    exit: 2,
    names: ["tensorrt", "ort-node"],
  },
  { what: "an unknown flag", args: [...quantize, "--fast"], code: "usage/argument", exit: 2, names: ["--fast"] },
  {
    what: "an unknown command",
    args: ["quantise", "model.onnx"],
    code: "usage/argument",
    exit: 2,
    names: ["quantise", "quantize"],
  },
  {
    what: "a flag without its value",
    args: [...quantize, "--recipe"],
    code: "usage/argument",
    exit: 2,
    names: ["--recipe"],
  },
  { what: "a second model", args: [...quantize, "other.onnx"], code: "usage/argument", exit: 2, names: ["quantize"] },
  { what: "no model", args: ["quantize"], code: "usage/argument", exit: 2, names: ["model"] },
  ...[
    ["--samples", "many"],
    ["--samples", "0"],
    ["--threads", "1.5"],
    ["--timeout", "-3"],
    ["--seed", "x"],
    ["--min-agreement", "90"],
    ["--min-agreement", ""],
    ["--min-sqnr", "loud"],
    ["--metric", "f1"],
    ["--prefer", "both"],
  ].map(([flag, value]) => ({
    what: `${flag} ${JSON.stringify(value)}`,
    args: [...quantize, `${flag}=${value}`],
    code: "usage/argument",
    exit: 2,
    names: [flag],
  })),
  {
    what: "an output that is the input",
    args: ["quantize", "model.onnx", "-o", "./model.onnx", "-r", "w8"],
    code: "usage/same-file",
    exit: 2,
    names: ["model.onnx"],
  },
  {
    what: "an output that links to the input",
    args: ["quantize", "model.onnx", "-o", "link.onnx", "-r", "w8"],
    before: () => symlinkSync("model.onnx", path("link.onnx")),
    code: "usage/same-file",
    exit: 2,
    names: ["link.onnx"],
  },
  {
    what: "an output that is the input's other name",
    args: ["quantize", "model.onnx", "-o", "hard.onnx", "-r", "w8"],
    before: () => linkSync(path("model.onnx"), path("hard.onnx")),
    code: "usage/same-file",
    exit: 2,
    names: ["hard.onnx"],
  },
  {
    what: "an output that is the data",
    args: ["quantize", "model.onnx", "-o", "data.npy", "--data", "data.npy"],
    code: "usage/same-file",
    exit: 2,
    names: ["data.npy"],
  },
];

const places: readonly Case[] = [
  {
    what: "a folder that is not there",
    args: ["quantize", "model.onnx", "-o", "no/out.onnx", "-r", "w8"],
    code: "io/write",
    exit: 4,
    names: ["no/out.onnx"],
  },
  {
    what: "an output that is a folder",
    args: ["quantize", "model.onnx", "-o", "empty", "-r", "w8"],
    before: () => mkdirSync(path("empty")),
    code: "io/write",
    exit: 4,
    names: ["empty"],
  },
  {
    what: "an output below a file",
    args: ["quantize", "model.onnx", "-o", "data.npy/out.onnx", "-r", "w8"],
    code: "io/write",
    exit: 4,
    names: ["data.npy/out.onnx"],
  },
  {
    what: "an output that is a pipe",
    args: ["quantize", "model.onnx", "-o", "pipe", "-r", "w8"],
    before: () => void execFileSync("mkfifo", [path("pipe")]),
    code: "io/write",
    exit: 4,
    names: ["pipe"],
  },
  {
    what: "an output without a name",
    args: ["quantize", "model.onnx", "-o", "", "-r", "w8"],
    code: "io/write",
    exit: 4,
    names: ["-o"],
  },
  {
    what: "an output that names a folder",
    args: ["quantize", "model.onnx", "-o", "here/", "-r", "w8"],
    code: "io/write",
    exit: 4,
    names: ["here/"],
  },
  {
    what: "an output with too long a name",
    args: ["quantize", "model.onnx", "-o", "x".repeat(300), "-r", "w8"],
    code: "io/write",
    exit: 4,
    names: ["ENAMETOOLONG"],
  },
  {
    what: "a report in the output's place",
    args: [...of("model.onnx", "-r", "w8"), "--html", "./out.onnx"],
    code: "usage/same-file",
    exit: 2,
    names: ["out.onnx"],
  },
  {
    what: "an evaluation's report in the model's place",
    args: ["evaluate", "model.onnx", "--data", "data.npy", "--html", "model.onnx"],
    code: "usage/same-file",
    exit: 2,
    names: ["model.onnx"],
  },
  {
    what: "a report that cannot be written",
    args: [...of("model.onnx", "-r", "w8"), "--html", "no/report.html"],
    code: "io/write",
    exit: 4,
    names: ["no/report.html"],
  },
  {
    what: "a report in the model's place",
    args: [...of("model.onnx", "-r", "w8"), "--html", "model.onnx"],
    code: "usage/same-file",
    exit: 2,
    names: ["model.onnx"],
  },
];

/** Every file below the folder that commands run in, with its time and content. */
function everything(): Record<string, string> {
  return Object.fromEntries(
    readdirSync(lowbit.work, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(path(name)).isFile())
      .map((name) => [name, `${statSync(path(name)).mtimeMs} ${readFileSync(path(name)).toString("base64")}`]),
  );
}

async function attempt({ args = quantize, files = {}, before }: Case, ...more: readonly string[]): Promise<Finished> {
  for (const [name, content] of Object.entries(files)) writeFileSync(path(name), content);
  before?.();
  const found = everything();
  const result = await lowbit.run([...args, ...more], { cwd: lowbit.work });
  expect(everything()).toEqual(found);
  return result;
}

describe.each([
  ["models", models],
  ["data", data],
  ["usage", usage],
  ["places to write", places],
])("%s", (_, cases) => {
  test.each(cases)("$what", async (row) => {
    const { code, stdout, stderr } = await attempt(row);
    expect(`${code} ${stderr}`).toMatch(new RegExp(`^${row.exit} error ${row.code}`));
    expect(stdout).toBe("");
    for (const name of row.names) expect(stderr).toContain(name);
    expect(stderr).toMatch(/\nhint: .{10}/);
    expect(stderr).not.toMatch(/\bat .*\.js:\d+/); // no stack of ours
  });
});
