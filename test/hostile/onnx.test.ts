/** Files made to break a reader: each is refused with a stated code, in bounded time and memory. */
import { describe, expect, test } from "vitest";
import { type ByteSource, bytesSource } from "#base/bytes";
import { type ErrorCode, LowbitError } from "#base/errors";
import { parseTensorProto, readOnnx } from "#formats/onnx/index";
import { node, onnxFile } from "../onnxBuilder";
import {
  bytes,
  float,
  int,
  join,
  message,
  modelAround,
  modelOf,
  paddedVarint,
  tag,
  text,
  varintBytes,
  withAttribute,
  withTensor,
} from "./wire";

type Case = readonly [what: string, code: ErrorCode, make: () => Uint8Array];

const nested = (depth: number, inner: Uint8Array, wrap: (content: Uint8Array) => Uint8Array): Uint8Array => {
  let content = inner;
  for (let i = 0; i < depth; i++) content = wrap(content);
  return content;
};

/** `count` copies of a few bytes as the content of one field. */
const repeated = (field: number, unit: readonly number[], count: number): Uint8Array => {
  const content = new Uint8Array(unit.length * count);
  for (let i = 0; i < content.length; i++) content[i] = unit[i % unit.length];
  return bytes(field, content);
};

const x = { x: ["float32", [1]] } as const;
const float1 = join(int(2, 1), int(1, 1));

const wireCases: readonly Case[] = [
  ["an empty file", "onnx/truncated", () => new Uint8Array(0)],
  ["a lone tag", "onnx/truncated", () => tag(1, 0)],
  [
    "a varint whose tenth byte has two bits",
    "onnx/malformed",
    () => join(tag(1, 0), new Uint8Array(9).fill(0xff), [2]),
  ],
  ["a varint of eleven bytes", "onnx/malformed", () => join(tag(1, 0), new Uint8Array(10).fill(0x80), [0])],
  ["a length of 2⁶³, which must not look like 0", "onnx/malformed", () => join(tag(7, 2), varintBytes(2n ** 63n))],
  ["a length of 2⁶⁴ − 1", "onnx/malformed", () => join(tag(7, 2), varintBytes(2n ** 64n - 1n), [0])],
  [
    "a length of 2³² + 1, which must not look like 1",
    "onnx/truncated",
    () => join(tag(2, 2), varintBytes(2n ** 32n + 1n), [65]),
  ],
  ["a length of 2³¹", "onnx/truncated", () => join(tag(7, 2), varintBytes(2n ** 31n))],
  ["field number 0", "onnx/malformed", () => join([0], [1])],
  ["field number 2²⁹", "onnx/malformed", () => join(varintBytes(2n ** 32n), [1])],
  ["a tag of 40 bits", "onnx/malformed", () => join(varintBytes(2n ** 40n - 1n), [1])],
  ["wire type 6", "onnx/malformed", () => join(tag(1, 6), [1])],
  ["wire type 7", "onnx/malformed", () => join(tag(1, 7), [1])],
  ["a group", "onnx/unsupported", () => join(tag(90, 3), tag(90, 4))],
  ["the end of a group that never began", "onnx/unsupported", () => tag(90, 4)],
  ["100,000 groups in groups", "onnx/unsupported", () => new Uint8Array(100_000).fill(tag(1, 3)[0])],
  ["a fixed64 that is cut", "onnx/truncated", () => join(tag(90, 1), [1, 2, 3])],
  ["a fixed32 that is cut", "onnx/truncated", () => join(tag(90, 5), [1, 2, 3])],
  ["a field that crosses its message", "onnx/malformed", () => join(bytes(7, [10, 100]), new Uint8Array(200))],
  ["a number that crosses its message", "onnx/malformed", () => join(tag(8, 2), [2], [16, 128], [1])],
  ["a fixed32 that crosses its message", "onnx/malformed", () => join(tag(8, 2), [2], [0x1d, 0], [0, 0, 0])],
  ["a graph that is a number", "onnx/malformed", () => int(7, 1)],
  ["a version that is text", "onnx/malformed", () => text(1, "8")],
  ["packed dims that cross their own end", "onnx/malformed", () => withTensor(join(bytes(1, [0x80]), int(2, 1)))],
  ["a name that is not UTF-8", "onnx/malformed", () => modelAround(bytes(2, [0xff, 0xfe]))],
  ["a surrogate in UTF-8", "onnx/malformed", () => modelAround(bytes(2, [0xed, 0xa0, 0x80]))],
  [
    "10,000 subgraphs in each other",
    "onnx/limit",
    () =>
      modelOf(
        nested(10_000, text(2, "g"), (graph) =>
          message(1, text(4, "If"), message(5, text(1, "a"), bytes(6, graph), int(20, 5))),
        ),
      ),
  ],
  [
    "10,000 sequence types in each other",
    "onnx/limit",
    () =>
      modelAround(
        message(
          11,
          text(1, "s"),
          bytes(
            2,
            nested(10_000, new Uint8Array(0), (type) => message(4, bytes(1, type))),
          ),
        ),
      ),
  ],
  ["20 million empty nodes", "onnx/limit", () => repeated(7, [0x0a, 0], 20_000_000)],
  ["20 million empty strings", "onnx/limit", () => message(7, repeated(1, [0x0a, 0], 20_000_000))],
  [
    "20 million unknown numbers",
    "onnx/limit",
    () =>
      repeated(
        7,
        [0x7f, 0].map((_, i) => (i === 0 ? 0x78 : 0)),
        20_000_000,
      ),
  ],
  ["20 million strings of a tensor", "onnx/limit", () => message(7, repeated(5, [0x32, 0], 20_000_000))],
  ["100 million packed dims", "onnx/limit", () => message(7, message(5, repeated(1, [1], 100_000_000)))],
];

const tensorCases: readonly Case[] = [
  ["no element type", "onnx/invalid", () => withTensor(int(1, 1), float(4, 1))],
  ["element type 0", "onnx/invalid", () => withTensor(int(1, 1), int(2, 0), float(4, 1))],
  ["element type 999", "onnx/unsupported", () => withTensor(int(1, 1), int(2, 999), bytes(9, [0]))],
  ["element type −1", "onnx/unsupported", () => withTensor(int(1, 1), int(2, -1), bytes(9, [0]))],
  ["a segment", "onnx/unsupported", () => withTensor(float1, bytes(9, [0, 0, 0, 0]), message(3, int(1, 0), int(2, 4)))],
  ["a negative dim", "onnx/invalid", () => withTensor(int(1, -1), int(2, 1))],
  ["a dim of −2⁶³", "onnx/invalid", () => withTensor(int(1, -(2n ** 63n)), int(2, 1))],
  ["a dim of 2⁶³ − 1", "onnx/invalid", () => withTensor(int(1, 2n ** 63n - 1n), int(2, 1))],
  [
    "dims whose product wraps to 0 in 64 bits",
    "onnx/invalid",
    () => withTensor(int(1, 2n ** 32n), int(1, 2n ** 32n), int(2, 1)),
  ],
  [
    "dims whose product in bytes wraps",
    "onnx/invalid",
    () => withTensor(int(1, 2n ** 52n), int(1, 2n ** 10n), int(2, 1)),
  ],
  ["dims of 2⁴⁰ floats and no data", "onnx/invalid", () => withTensor(int(1, 2n ** 40n), int(2, 1))],
  ["dims of 2⁴⁰ strings and no data", "onnx/invalid", () => withTensor(int(1, 2n ** 40n), int(2, 8))],
  ["65 dims", "onnx/limit", () => withTensor(bytes(1, new Uint8Array(65).fill(1)), int(2, 1), float(4, 1))],
  ["too few raw bytes", "onnx/invalid", () => withTensor(float1, bytes(9, [0, 0, 0]))],
  ["too many raw bytes", "onnx/invalid", () => withTensor(float1, bytes(9, new Uint8Array(5)))],
  [
    "too few large raw bytes",
    "onnx/invalid",
    () => withTensor(int(1, 1000), int(2, 1), bytes(9, new Uint8Array(3999))),
  ],
  ["too many floats", "onnx/invalid", () => withTensor(float1, float(4, 1), float(4, 2))],
  ["too few varints", "onnx/invalid", () => withTensor(int(1, 3), int(2, 7), bytes(7, [1, 2]))],
  ["too many varints", "onnx/invalid", () => withTensor(int(1, 1), int(2, 7), bytes(7, [1, 2]))],
  ["a varint of a tensor that is cut", "onnx/truncated", () => withTensor(int(1, 2), int(2, 7), bytes(7, [1, 0x80]))],
  ["raw and typed data", "onnx/invalid", () => withTensor(float1, bytes(9, [0, 0, 0, 0]), float(4, 1))],
  ["two kinds of typed data", "onnx/invalid", () => withTensor(float1, int(7, 1), float(4, 1))],
  ["floats as int64_data", "onnx/invalid", () => withTensor(float1, int(7, 1))],
  ["floats as strings", "onnx/invalid", () => withTensor(float1, text(6, "1.0"))],
  ["strings in raw_data", "onnx/invalid", () => withTensor(int(1, 1), int(2, 8), bytes(9, [65]))],
  ["a missing string", "onnx/invalid", () => withTensor(int(1, 2), int(2, 8), text(6, "one"))],
  ["data in an empty tensor", "onnx/invalid", () => withTensor(int(1, 0), int(2, 1), bytes(9, [0, 0, 0, 0]))],
  ["data location 2", "onnx/invalid", () => withTensor(float1, int(14, 2))],
  ["an initializer without a name", "onnx/invalid", () => modelAround(message(5, float1, float(4, 1)))],
  [
    "two initializers of one name",
    "model/duplicate",
    () => modelAround(message(5, text(8, "w"), float1, float(4, 1)), message(5, text(8, "w"), float1, float(4, 2))),
  ],
];

const external = (...entries: readonly (readonly [string, string])[]): Uint8Array =>
  withTensor(float1, int(14, 1), ...entries.map(([key, value]) => message(13, text(1, key), text(2, value))));
const at = (location: string, ...more: readonly (readonly [string, string])[]): Uint8Array =>
  external(["location", location], ...more);

const externalCases: readonly Case[] = [
  ...[
    "",
    "/etc/passwd",
    "../w",
    "a/../../w",
    "a/..",
    "./w",
    "a//b",
    "a/",
    ".",
    "..",
    "C:w",
    "C:\\w",
    "..\\w",
    "a\\b",
    "w\0x",
    "w\nx",
    "*/_ORT_MEM_ADDR_/*",
  ].map((location): Case => [`the location ${JSON.stringify(location)}`, "onnx/external-data", () => at(location)]),
  ["no location", "onnx/external-data", () => external(["offset", "0"])],
  ["an unknown key", "onnx/external-data", () => at("w", ["__class__", "x"])],
  ["the key __proto__", "onnx/external-data", () => at("w", ["__proto__", "x"])],
  ["a key twice", "onnx/external-data", () => at("w", ["offset", "0"], ["offset", "4"])],
  ...["-1", "1e3", "0x10", " 1", "", "9007199254740993", "99999999999999999999", "1.0"].map(
    (offset): Case => [`the offset ${JSON.stringify(offset)}`, "onnx/external-data", () => at("w", ["offset", offset])],
  ),
  ["an offset at the end of the file", "onnx/external-data", () => at("w", ["offset", "61"])],
  ["an offset beyond 2⁵²", "onnx/external-data", () => at("w", ["offset", "9007199254740991"])],
  ["a length that is not the tensor's", "onnx/external-data", () => at("w", ["length", "8"])],
  ["a length that would fill the memory", "onnx/external-data", () => at("w", ["length", "9000000000000000"])],
  [
    "data here and there",
    "onnx/invalid",
    () => withTensor(float1, float(4, 1), int(14, 1), message(13, text(1, "location"), text(2, "w"))),
  ],
  [
    "strings elsewhere",
    "onnx/invalid",
    () => withTensor(int(1, 1), int(2, 8), int(14, 1), message(13, text(1, "location"), text(2, "w"))),
  ],
];

const attributeCases: readonly Case[] = [
  ["no value", "onnx/invalid", () => withAttribute()],
  ["two values", "onnx/invalid", () => withAttribute(int(3, 1), float(2, 1), int(20, 2))],
  ["a value of another type", "onnx/invalid", () => withAttribute(float(2, 1), int(20, 2))],
  ["type GRAPH and no graph", "onnx/invalid", () => withAttribute(int(20, 5))],
  ["type TENSOR and no tensor", "onnx/invalid", () => withAttribute(int(20, 4))],
  ["type 99 with an int", "onnx/invalid", () => withAttribute(int(3, 1), int(20, 99))],
  ["type 99 and nothing", "onnx/invalid", () => withAttribute(int(20, 99))],
  ["no name", "onnx/invalid", () => withAttribute(text(1, ""), int(3, 1), int(20, 2))],
  ["a reference with a value", "onnx/invalid", () => withAttribute(int(3, 1), int(20, 2), text(21, "b"))],
  ["a reference outside a function", "onnx/invalid", () => withAttribute(int(20, 2), text(21, "b"))],
  [
    "a name twice",
    "model/duplicate",
    () =>
      modelAround(
        message(
          1,
          text(1, "x"),
          text(2, "z"),
          text(4, "Op"),
          message(5, text(1, "a"), int(3, 1)),
          message(5, text(1, "a"), int(3, 1)),
        ),
      ),
  ],
];

const fn = (name: string, ...nodes: readonly Uint8Array[]): Uint8Array =>
  message(
    25,
    text(1, name),
    text(4, "p"),
    text(5, "q"),
    ...nodes,
    message(9, int(2, 17)),
    message(9, text(1, "local"), int(2, 1)),
    text(10, "local"),
  );
const call = (name: string): Uint8Array => message(7, text(1, "p"), text(2, "q"), text(4, name), text(7, "local"));

const graphCases: readonly Case[] = [
  ["no graph", "onnx/invalid", () => int(1, 8)],
  ["no IR version", "onnx/invalid", () => join(bytes(7, []), message(8, int(2, 17)))],
  ["an IR version of 2⁶³", "onnx/invalid", () => join(int(1, 2n ** 63n), bytes(7, []), message(8, int(2, 17)))],
  ["no operator set", "onnx/invalid", () => join(int(1, 8), bytes(7, []))],
  ["an operator set of version 0", "onnx/invalid", () => join(int(1, 8), bytes(7, []), message(8, int(2, 0)))],
  [
    "one operator set in two versions",
    "onnx/invalid",
    () => modelOf(new Uint8Array(0), message(8, text(1, "ai.onnx"), int(2, 18))),
  ],
  [
    "a node of an operator set that is not imported",
    "onnx/invalid",
    () => onnxFile({ inputs: x, outputs: { y: undefined }, nodes: [node("Op", ["x"], ["y"], {}, "elsewhere")] }),
  ],
  ["a node without inputs and outputs", "onnx/invalid", () => modelAround(message(1, text(4, "Op")))],
  ["a node without an operator", "onnx/invalid", () => modelAround(message(1, text(1, "x"), text(2, "z")))],
  ["an input without a name", "onnx/invalid", () => modelAround(message(11, text(3, "doc")))],
  [
    "an input nothing defines",
    "model/missing-tensor",
    () => onnxFile({ inputs: x, outputs: { y: undefined }, nodes: [node("Add", ["x", "k"], ["y"])] }),
  ],
  [
    "an output nothing computes",
    "model/missing-tensor",
    () => onnxFile({ inputs: x, outputs: { z: undefined }, nodes: [node("Relu", ["x"], ["y"])] }),
  ],
  [
    "one value computed twice",
    "model/duplicate",
    () =>
      onnxFile({
        inputs: x,
        outputs: { y: undefined },
        nodes: [node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])],
      }),
  ],
  [
    "an input computed again",
    "model/duplicate",
    () => onnxFile({ inputs: x, outputs: { x: undefined }, nodes: [node("Relu", ["x"], ["x"])] }),
  ],
  ["two inputs of one name", "model/duplicate", () => modelAround(message(11, text(1, "x")))],
  [
    "a node that reads itself",
    "model/cycle",
    () => onnxFile({ inputs: x, outputs: { y: undefined }, nodes: [node("Add", ["x", "y"], ["y"])] }),
  ],
  [
    "a cycle",
    "model/cycle",
    () =>
      onnxFile({
        inputs: x,
        outputs: { b: undefined },
        nodes: [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"])],
      }),
  ],
  [
    "nodes in the wrong order",
    "onnx/invalid",
    () =>
      onnxFile({
        inputs: x,
        outputs: { b: undefined },
        nodes: [node("Relu", ["a"], ["b"]), node("Relu", ["x"], ["a"])],
      }),
  ],
  [
    "a cycle through a subgraph",
    "model/cycle",
    () =>
      onnxFile({
        inputs: x,
        outputs: { b: undefined },
        nodes: [
          node("If", ["x"], ["a"], {
            then_branch: { graph: { outputs: { t: undefined }, nodes: [node("Relu", ["b"], ["t"])] } },
          }),
          node("Relu", ["a"], ["b"]),
        ],
      }),
  ],
  [
    "a subgraph that computes a name of the graph around it",
    "model/duplicate",
    () =>
      onnxFile({
        inputs: x,
        outputs: { b: undefined },
        nodes: [
          node("If", ["x"], ["b"], {
            then_branch: { graph: { outputs: { x: undefined }, nodes: [node("Relu", ["x"], ["x"])] } },
          }),
        ],
      }),
  ],
  [
    "a ring of 50,000 nodes",
    "model/cycle",
    () =>
      onnxFile({
        inputs: x,
        outputs: { n0: undefined },
        nodes: Array.from({ length: 50_000 }, (_, i) => node("Relu", [`n${(i + 1) % 50_000}`], [`n${i}`])),
      }),
  ],
  ["a sequence of nothing", "onnx/invalid", () => modelAround(message(11, text(1, "s"), message(2, bytes(4, []))))],
  [
    "a dim of 2⁶³ − 1 elements",
    "onnx/invalid",
    () =>
      modelAround(
        message(11, text(1, "s"), message(2, message(1, int(1, 1), message(2, message(1, int(1, 2n ** 63n - 1n)))))),
      ),
  ],
  ["a function that calls itself", "model/cycle", () => join(modelAround(), fn("f", call("f")))],
  ["functions that call each other", "model/cycle", () => join(modelAround(), fn("f", call("g")), fn("g", call("f")))],
  [
    "100 functions in a row",
    "onnx/limit",
    () =>
      join(
        modelAround(),
        fn("f0", message(7, text(1, "p"), text(2, "q"), text(4, "Relu"))),
        ...Array.from({ length: 100 }, (_, i) => fn(`f${i + 1}`, call(`f${i}`))),
      ),
  ],
  ["two functions of one name", "model/duplicate", () => join(modelAround(), fn("f", call("g")), fn("f", call("g")))],
  ["a function whose output nothing computes", "model/missing-tensor", () => join(modelAround(), fn("f"))],
];

describe.each([
  ["the wire format", wireCases],
  ["tensors", tensorCases],
  ["external data", externalCases],
  ["attributes", attributeCases],
  ["the graph", graphCases],
])("hostile input in %s", (_, cases) => {
  test.each(cases)("%s is refused with %s", async (_, code, make) => {
    const file = make();
    const before = process.memoryUsage.rss();
    const start = performance.now();
    const error: unknown = await readOnnx(bytesSource(file, "hostile.onnx"), {
      external: async () => bytesSource(new Uint8Array(64), "w"),
    }).catch((thrown: unknown) => thrown);
    const ms = performance.now() - start;
    expect(error).toBeInstanceOf(LowbitError);
    const { code: found, at, message } = error as LowbitError;
    expect(found, message).toBe(code);
    expect(at.file).toBe("hostile.onnx");
    // 40 MB of two-byte fields are the slowest; a machine under load is not the subject
    expect(ms).toBeLessThan(5000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(1500 * 2 ** 20);
  });
});

test("a claim over the limit is refused before it is read", async () => {
  const start = join(tag(7, 2), varintBytes(700_000_005), tag(2, 2), varintBytes(600_000_000));
  let read = 0;
  const source: ByteSource = {
    name: "endless.onnx",
    size: 800_000_000,
    async read(offset, length) {
      read += length;
      const window = new Uint8Array(length);
      if (offset === 0) window.set(start);
      return window;
    },
  };
  await expect(readOnnx(source)).rejects.toMatchObject({ code: "onnx/limit" });
  expect(read).toBeLessThan(1_000_000);
});

describe("what looks hostile but is not", () => {
  test("a model cut at any byte is refused, and none of its prefixes is a model", async () => {
    const file = onnxFile({
      inputs: x,
      outputs: { y: ["float32", [1]] },
      nodes: [node("Add", ["x", "k"], ["y"], { a: 1, b: "text", c: { float: 2 } })],
      initializers: { k: { type: "float32", dims: [1], data: Float32Array.of(2) } },
    });
    await readOnnx(bytesSource(file));
    const codes = new Set<string>();
    for (let length = 0; length < file.length; length++) {
      const error: unknown = await readOnnx(bytesSource(file.subarray(0, length))).catch((thrown: unknown) => thrown);
      expect(error, `${length} of ${file.length} bytes`).toBeInstanceOf(LowbitError);
      codes.add((error as LowbitError).code);
    }
    // at the end of a field of the model itself the rest is not missing but absent
    expect([...codes].sort()).toEqual(["onnx/invalid", "onnx/truncated"]);
  });

  test("of a field given twice the last counts, and messages given twice are merged", async () => {
    const graph = (name: string, output: string): Uint8Array =>
      message(7, message(1, text(1, "x"), text(2, output), text(4, "Relu")), text(2, name));
    const model = await readOnnx(
      bytesSource(
        join(
          int(1, 7),
          int(1, 8),
          graph("first", "y"),
          graph("second", "z"),
          message(7, message(11, text(1, "x"))),
          message(8, int(2, 17)),
        ),
      ),
    );
    expect(model.irVersion).toBe(8);
    expect(model.graph.name).toBe("second");
    expect(model.graph.nodes.map((found) => found.outputs[0])).toEqual(["y", "z"]);
  });

  test("padded varints, packed and unpacked numbers mean the same", async () => {
    for (const dims of [
      [int(1, 2), int(1, 3)],
      [bytes(1, [2, 3])],
      [bytes(1, [2]), int(1, 3)],
      [join(tag(1, 0), paddedVarint(2, 10)), bytes(1, paddedVarint(3, 5))],
    ]) {
      const ref = parseTensorProto(join(...dims, int(2, 2), bytes(9, new Uint8Array(6))));
      expect(ref.dims).toEqual([2, 3]);
    }
  });

  test("__proto__ and constructor are names like any other", async () => {
    const file = onnxFile({
      inputs: { __proto__x: ["float32", [1]] },
      outputs: { constructor: undefined },
      nodes: [
        node(
          "Add",
          ["__proto__x", "__proto__"],
          ["constructor"],
          JSON.parse('{"__proto__": 1, "constructor": 2}') as Record<string, number>,
        ),
      ],
      initializers: JSON.parse('{"__proto__": {"type": "float32", "dims": [1], "data": []}}', (key, value: unknown) =>
        key === "data" ? Float32Array.of(1) : value,
      ) as Record<string, never>,
    });
    const { graph } = await readOnnx(bytesSource(file));
    expect([...graph.initializers.keys()]).toEqual(["__proto__"]);
    expect([...graph.nodes[0].attributes.keys()]).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["type"]).toBeUndefined();
  });

  test("200,000 nodes in a row are read in linear time", async () => {
    const relu = (i: number): Uint8Array =>
      message(1, text(1, i === 0 ? "x" : `n${i - 1}`), text(2, `n${i}`), text(4, "Relu"));
    const thousands = Array.from({ length: 200 }, (_, k) =>
      join(...Array.from({ length: 1000 }, (_, i) => relu(1000 * k + i))),
    );
    const file = modelAround(...thousands);
    const start = performance.now();
    expect((await readOnnx(bytesSource(file))).graph.nodes).toHaveLength(200_001);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("what the file is instead is said where its first bytes tell", async () => {
    const pad = " ".repeat(40);
    for (const [start, hint] of [
      ["version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"],
      ["<!doctype html><html>", "web page"],
      ["GGUF\u0003\0\0\0", "GGUF"],
      ["PK\u0003\u0004", "zip"],
      ["\u0018\0\0\0ORTM", ".ort"],
    ]) {
      const error: unknown = await readOnnx(bytesSource(new TextEncoder().encode(start + pad))).catch(
        (thrown: unknown) => thrown,
      );
      expect((error as LowbitError).hint).toContain(hint);
    }
  });
});
