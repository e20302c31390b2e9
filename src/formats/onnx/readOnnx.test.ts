/** What reading a model loads, keeps and means. */
import { describe, expect, test } from "vitest";
import { type ByteSource, bytesSource } from "#base/bytes";
import { onnxBytes, readOnnx, writeOnnx } from "#formats/onnx/index";
import { graphAttribute } from "#model/attributes";
import type { Graph, Model, TensorRef } from "#model/model";
import type { Tensor } from "#model/tensor";
import { readWeight, weight } from "#model/weights";

const empty: Graph = {
  name: "g",
  nodes: [],
  inputs: [],
  outputs: [],
  initializers: new Map(),
  values: new Map(),
  doc: "",
  metadata: new Map(),
};

function modelOf(graph: Partial<Graph>, more: Partial<Model> = {}): Model {
  return {
    irVersion: 10,
    opsets: new Map([["", 21]]),
    graph: { ...empty, ...graph },
    functions: [],
    producer: { name: "", version: "" },
    domain: "",
    modelVersion: 0,
    doc: "",
    metadata: new Map(),
    ...more,
  };
}

const value = (name: string, type: Tensor["type"], shape: readonly (number | string)[]) => ({
  name,
  type: { kind: "tensor", element: type, shape } as const,
  doc: "",
  metadata: new Map<string, string>(),
});
const vector: Tensor = { type: "float32", dims: [2], data: Float32Array.of(1, 2) };
const reread = async (model: Model): Promise<Model> => readOnnx(bytesSource(await onnxBytes(model)));

/** A source that remembers what was asked of it. */
function watched(source: ByteSource): ByteSource & { readonly reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    name: source.name,
    size: source.size,
    reads,
    read(offset, length) {
      reads.push([offset, length]);
      return source.read(offset, length);
    },
  };
}

describe("a model file is indexed", () => {
  test("without its large weights, whether initializers, constants or in subgraphs", async () => {
    const megabyte = (name: string, fill: number): TensorRef =>
      weight(name, { type: "uint8", dims: [1 << 20], data: new Uint8Array(1 << 20).fill(fill) });
    const node = {
      name: "",
      op: "Constant",
      domain: "",
      overload: "",
      inputs: [],
      doc: "",
      metadata: new Map<string, string>(),
    };
    const constant = (output: string, ref: TensorRef) => ({
      ...node,
      outputs: [output],
      attributes: new Map([["value", { kind: "tensor", value: ref } as const]]),
    });
    const inner: Graph = {
      ...empty,
      nodes: [constant("c", megabyte("", 3))],
      initializers: new Map([["d", megabyte("d", 4)]]),
    };
    const holder = {
      ...node,
      op: "Holder",
      outputs: ["h"],
      attributes: new Map([["body", { kind: "graph", value: inner } as const]]),
    };
    const model = modelOf({
      nodes: [constant("k", megabyte("", 1)), holder],
      initializers: new Map([["w", megabyte("w", 2)]]),
    });
    const source = watched(bytesSource(await onnxBytes(model)));
    const read = await readOnnx(source);
    const total = source.reads.reduce((sum, [, length]) => sum + length, 0);
    expect(source.size).toBeGreaterThan(4 << 20);
    expect(total).toBeLessThan(source.size / 10);

    const body = graphAttribute(read.graph.nodes[1], "body") ?? empty;
    const constants = [read.graph.nodes[0], ...body.nodes];
    const found = [
      ...constants.map((each) => each.attributes.get("value")?.value as TensorRef),
      read.graph.initializers.get("w"),
      body.initializers.get("d"),
    ];
    for (const [i, fill] of [1, 3, 2, 4].entries()) {
      const ref = found[i];
      expect(ref?.data.kind).toBe("range");
      const data = ref === undefined ? [] : (await readWeight(ref)).data;
      expect([data.length, data[0], data[data.length - 1]]).toEqual([1 << 20, fill, fill]);
    }
  });

  test("in few reads, which grow where the structure is dense", async () => {
    const nodes = Array.from({ length: 50_000 }, (_, i) => ({
      name: `a rather long name of node ${i}`,
      op: "Relu",
      domain: "",
      overload: "",
      inputs: [i === 0 ? "x" : `v${i - 1}`],
      outputs: [`v${i}`],
      attributes: new Map(),
      doc: "",
      metadata: new Map<string, string>(),
    }));
    const source = watched(bytesSource(await onnxBytes(modelOf({ nodes, inputs: [value("x", "float32", [1])] }))));
    await readOnnx(source);
    expect(source.size).toBeGreaterThan(2_500_000);
    expect(source.reads.length).toBeLessThan(12);
  });

  test("and a failing source fails the reading, with its own error", async () => {
    const file = await onnxBytes(modelOf({ initializers: new Map([["w", weight("w", vector)]]) }));
    const failing: ByteSource = {
      name: "f",
      size: file.length,
      read: () => Promise.reject(new Error("the disk is gone")),
    };
    await expect(readOnnx(failing)).rejects.toThrow("the disk is gone");
  });
});

describe("initializers that are inputs too", () => {
  const graph = {
    initializers: new Map([
      ["w", weight("w", vector)],
      ["k", weight("k", vector)],
    ]),
    inputs: [value("x", "float32", ["n"])],
  };

  test("are kept apart from real inputs, and written again", async () => {
    const model = modelOf({ ...graph, overridable: new Map([["w", value("w", "float32", ["m"])]]) });
    const read = await reread(model);
    expect(read.graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(read.graph.overridable).toEqual(new Map([["w", value("w", "float32", ["m"])]]));
  });

  test("are described anew when the weight was replaced, and forgotten when it is gone", async () => {
    const model = modelOf({
      initializers: new Map([["w", weight("w", { type: "int8", dims: [3], data: new Int8Array(3) })]]),
      overridable: new Map([
        ["w", value("w", "float32", ["m"])],
        ["gone", value("gone", "float32", ["m"])],
      ]),
    });
    expect((await reread(model)).graph.overridable).toEqual(new Map([["w", value("w", "int8", [3])]]));
  });

  test("are all of them before IR version 4, which says nothing about them", async () => {
    const bytes = await onnxBytes(modelOf(graph, { irVersion: 3 }));
    const old = await readOnnx(bytesSource(bytes));
    expect(old.graph.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(old.graph.overridable).toBeUndefined();
    // the same bytes, called version 4: now the list is seen
    const at = bytes.indexOf(3);
    expect(at).toBe(1);
    const patched = Uint8Array.from(bytes, (byte, i) => (i === at ? 4 : byte));
    const newer = await readOnnx(bytesSource(patched));
    expect([...(newer.graph.overridable?.keys() ?? [])]).toEqual(["w", "k"]);
  });
});

describe("what is not understood", () => {
  // y = Identity(x), and after each message a field 999 with the text "new"
  const field = (number: number, content: readonly number[]): number[] => {
    const tag = number * 8 + 2;
    return [...(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]), content.length, ...content];
  };
  const novelty = field(999, [110, 101, 119]);
  const withNovelty = (number: number, ...content: readonly number[][]): number[] =>
    field(number, [...content.flat(), ...novelty]);
  const text = (number: number, content: string): number[] =>
    field(
      number,
      Array.from(content, (letter) => letter.charCodeAt(0)),
    );

  test("stays in the file, at every level of it, byte for byte", async () => {
    const dim = withNovelty(1, text(2, "n"));
    const type = withNovelty(2, withNovelty(1, [8, 1], withNovelty(2, dim)));
    const entry = withNovelty(16, text(1, "key"), text(2, "value"));
    const attribute = withNovelty(5, text(1, "a"), [24, 7, 0xa0, 1, 2]);
    const node = withNovelty(1, text(1, "x"), text(2, "y"), text(4, "Identity"), attribute);
    const tensor = withNovelty(5, [8, 1, 16, 2], text(8, "w"), field(9, [5]));
    const input = withNovelty(11, text(1, "x"), type);
    const graph = [
      ...node,
      ...text(2, "g"),
      ...tensor,
      ...input,
      ...withNovelty(12, text(1, "y")),
      ...entry,
      ...novelty,
    ];
    // the graph is longer than one byte of length can say
    const length = [(graph.length & 127) | 128, graph.length >> 7];
    const file = Uint8Array.from([8, 8, 0x3a, ...length, ...graph, ...field(8, [16, 17]), ...novelty]);
    const written = await onnxBytes(await readOnnx(bytesSource(file)));
    const count = (bytes: Uint8Array): number => new TextDecoder("latin1").decode(bytes).split("new").length - 1;
    expect(count(file)).toBe(12);
    expect(count(written)).toBe(12);
    // what moved is whole: a message with an unknown field and no place for it stays as it was
    for (const whole of [entry, type.slice(2)])
      expect(new TextDecoder("latin1").decode(written)).toContain(String.fromCharCode(...whole));
    expect(Buffer.compare(await onnxBytes(await readOnnx(bytesSource(written))), written)).toBe(0);
  });

  test("a sparse initializer is a value like any other, and written as it was", async () => {
    const sparse = Uint8Array.from([
      ...field(1, [8, 1, 16, 1, ...text(8, "s"), ...field(9, [0, 0, 128, 63])]),
      ...field(2, [8, 1, 16, 7, 58, 1, 0]),
      24,
      5,
    ]);
    const identity = {
      name: "",
      op: "Identity",
      domain: "",
      overload: "",
      inputs: ["s"],
      outputs: ["y"],
      attributes: new Map(),
      doc: "",
      metadata: new Map<string, string>(),
    };
    const model = modelOf({
      nodes: [identity],
      outputs: [value("y", "float32", [5])],
      sparse: new Map([["s", sparse]]),
    });
    expect((await reread(model)).graph.sparse).toEqual(new Map([["s", sparse]]));
  });
});

describe("the two names of ONNX's own domain", () => {
  test("are one", async () => {
    const model = modelOf(
      {},
      {
        opsets: new Map([
          ["ai.onnx", 21],
          ["com.example", 1],
        ]),
      },
    );
    expect((await reread(model)).opsets).toEqual(
      new Map([
        ["", 21],
        ["com.example", 1],
      ]),
    );
  });
});

describe("weights in another file", () => {
  const model = modelOf({ initializers: new Map([["w", weight("w", vector)]]) });
  const sink = () => {
    const chunks: Uint8Array[] = [];
    return { chunks, write: async (chunk: Uint8Array) => void chunks.push(chunk) };
  };

  test("are asked for by location, once", async () => {
    const main = sink();
    const second = sink();
    await writeOnnx(
      modelOf({
        initializers: new Map([
          ["a", weight("a", vector)],
          ["b", weight("b", { ...vector, data: Float32Array.of(3, 4) })],
        ]),
      }),
      main,
      { external: { location: "weights.bin", sink: second, threshold: 0 } },
    );
    const asked: string[] = [];
    const read = await readOnnx(bytesSource(Buffer.concat(main.chunks)), {
      external: async (location) => {
        asked.push(location);
        return bytesSource(Buffer.concat(second.chunks), location);
      },
    });
    expect(asked).toEqual(["weights.bin"]);
    const b = read.graph.initializers.get("b");
    expect(b === undefined ? [] : [...((await readWeight(b)).data as Float32Array)]).toEqual([3, 4]);
  });

  test("must be given", async () => {
    const main = sink();
    await writeOnnx(model, main, { external: { location: "weights.bin", sink: sink(), threshold: 0 } });
    await expect(readOnnx(bytesSource(Buffer.concat(main.chunks)))).rejects.toMatchObject({
      code: "onnx/external-data",
      at: { tensor: "w" },
      hint: "give weights.bin together with the model",
    });
  });
});
