/** Any model that the graph IR can express comes back from a file as it was: nothing is lost, reordered or reinterpreted. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BytesSink, bytesSource, type ByteSource } from "#base/bytes";
import { onnxBytes, readOnnx, writeOnnx } from "#formats/onnx/index";
import type { Attribute, Dim, FunctionDef, Graph, Model, Node, TensorRef, ValueInfo, ValueType } from "#model/model";
import { type ElementType, elementTypes, packedBytes, sizeOf } from "#model/tensor";
import { readWeightBytes } from "#model/weights";

const name = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
  fc.constantFrom("__proto__", "constructor", "\u{feff}x", "é\u{1f600}"),
);
const doc = fc.oneof(fc.constant(""), name);
const metadata = fc.array(fc.tuple(doc, doc), { maxLength: 2 }).map((rows) => new Map(rows));

/** Fields that no version of ONNX has: numbers from 900, of every wire type. */
const unknownField = fc
  .tuple(
    fc.integer({ min: 900, max: 1000 }),
    fc.constantFrom(0, 1, 2, 5),
    fc.uint8Array({ minLength: 8, maxLength: 8 }),
  )
  .map(([number, wire, payload]) => {
    const tag = number * 8 + wire;
    const head = [(tag & 127) | 128, tag >> 7];
    if (wire === 0) return [...head, payload[0] & 127];
    if (wire === 1) return [...head, ...payload];
    return wire === 5 ? [...head, ...payload.subarray(0, 4)] : [...head, 8, ...payload];
  });
const unknown = fc.option(
  fc.array(unknownField, { minLength: 1, maxLength: 3 }).map((fields) => ({ unknown: Uint8Array.from(fields.flat()) })),
  { nil: {}, freq: 3 },
);

const elementNames = Object.keys(elementTypes) as ElementType[];
const dims = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 });

function tensor(called: fc.Arbitrary<string>): fc.Arbitrary<TensorRef> {
  return fc
    .record({
      name: called,
      element: fc.constantFrom(...elementNames),
      dims,
      doc,
      metadata,
      more: unknown,
      repeat: fc.constantFrom(1, 1, 40),
    })
    .chain(({ more, repeat, ...rest }) => {
      const shape = [...rest.dims, repeat];
      const count = sizeOf(shape);
      const length = packedBytes(rest.element, count);
      const data =
        rest.element === "string"
          ? fc
              .array(fc.uint8Array({ maxLength: 5 }), { minLength: count, maxLength: count })
              .map((values) => ({ kind: "strings", values }) as const)
          : fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({ kind: "bytes", bytes }) as const);
      return data.map((content): TensorRef => ({ ...rest, dims: shape, data: content, ...more }));
    });
}

const dim: fc.Arbitrary<Dim> = fc.oneof(fc.nat(), name, fc.constant(null));

const valueType: fc.Arbitrary<ValueType> = fc.letrec<{ type: ValueType }>((tie) => {
  const more = fc
    .tuple(
      unknown,
      fc.option(
        name.map((denotation) => ({ denotation })),
        { nil: {} },
      ),
    )
    .map(([a, b]) => ({ ...a, ...b }));
  const shape = fc.option(fc.array(dim, { maxLength: 4 }), { nil: undefined });
  const kinds = fc.oneof(
    { depthSize: "small" },
    fc.record({ kind: fc.constant("tensor" as const), element: fc.constantFrom(...elementNames), shape }),
    fc.record({
      kind: fc.constant("tensor" as const),
      element: fc.constant(undefined),
      code: fc.integer({ min: 100, max: 200 }),
      shape,
    }),
    fc.record({ kind: fc.constantFrom("sequence" as const, "optional" as const), of: tie("type") }),
    fc.record({ kind: fc.constant("map" as const), key: fc.integer({ min: 1, max: 13 }), of: tie("type") }),
  );
  const opaque = unknownField.map((field) => ({ kind: "opaque", bytes: Uint8Array.from(field) }) as const);
  return {
    type: fc.oneof(
      fc.tuple(kinds, more).map(([kind, rest]) => ({ ...kind, ...rest })),
      opaque,
    ),
  };
}).type;

const valueInfo: fc.Arbitrary<ValueInfo> = fc
  .record({ name, type: fc.option(valueType, { nil: undefined }), doc, metadata, more: unknown })
  .map(({ more, ...rest }) => ({ ...rest, ...more }));

const int64 = fc
  .oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
  .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));
const float32 = fc.float();
const text = fc.oneof(name, fc.constant(""), fc.constant(Uint8Array.of(0xff, 0xfe)));
const named = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<ReadonlyMap<string, T>> =>
  fc.uniqueArray(fc.tuple(name, values), { maxLength: 3, selector: ([key]) => key }).map((rows) => new Map(rows));

const { graph, node, attribute } = fc.letrec<{ graph: Graph; node: Node; attribute: Attribute }>((tie) => ({
  attribute: fc
    .tuple(
      fc.oneof(
        { depthSize: "small" },
        fc.record({ kind: fc.constant("int" as const), value: int64 }),
        fc.record({ kind: fc.constant("float" as const), value: float32 }),
        fc.record({ kind: fc.constant("string" as const), value: text }),
        fc.record({ kind: fc.constant("ints" as const), value: fc.array(int64, { maxLength: 3 }) }),
        fc.record({ kind: fc.constant("floats" as const), value: fc.array(float32, { maxLength: 3 }) }),
        fc.record({ kind: fc.constant("strings" as const), value: fc.array(text, { maxLength: 3 }) }),
        fc.record({ kind: fc.constant("tensor" as const), value: tensor(doc) }),
        fc.record({ kind: fc.constant("tensors" as const), value: fc.array(tensor(doc), { maxLength: 2 }) }),
        fc.record({ kind: fc.constant("type" as const), value: valueType }),
        fc.record({ kind: fc.constant("types" as const), value: fc.array(valueType, { maxLength: 2 }) }),
        fc.record({ kind: fc.constant("reference" as const), value: name, type: fc.integer({ min: 1, max: 14 }) }),
        fc.record({ kind: fc.constant("graph" as const), value: tie("graph") }),
        fc.record({ kind: fc.constant("graphs" as const), value: fc.array(tie("graph"), { maxLength: 2 }) }),
      ),
      unknown,
      fc.option(
        doc.map((written) => ({ doc: written })),
        { nil: {} },
      ),
    )
    .map(([kind, more, written]): Attribute => ({ ...kind, ...more, ...written })),
  node: fc
    .record({
      name: doc,
      op: name,
      domain: doc,
      overload: doc,
      inputs: fc.array(doc, { maxLength: 3 }),
      outputs: fc.array(doc, { minLength: 1, maxLength: 3 }),
      attributes: named(tie("attribute")),
      doc,
      metadata,
      more: unknown,
    })
    .map(({ more, ...rest }): Node => ({ ...rest, ...more })),
  graph: fc
    .record({
      name: doc,
      nodes: fc.array(tie("node"), { maxLength: 3 }),
      outputs: fc.array(valueInfo, { maxLength: 2 }),
      initializers: named(tensor(name)),
      values: named(valueInfo),
      inputs: fc.array(valueInfo, { maxLength: 2 }),
      doc,
      metadata,
      more: unknown,
    })
    .map(({ more, ...rest }): Graph => {
      const initializers = new Map(Array.from(rest.initializers, ([key, ref]) => [key, { ...ref, name: key }]));
      const values = new Map(Array.from(rest.values, ([key, value]) => [key, { ...value, name: key }]));
      return {
        ...rest,
        initializers,
        values,
        inputs: rest.inputs.filter((input) => !initializers.has(input.name)),
        ...more,
      };
    }),
}));

const opsets = fc
  .array(fc.tuple(doc, fc.integer({ min: 1, max: 30 })), { minLength: 1, maxLength: 3 })
  .map((rows) => new Map(rows));

const functionDef: fc.Arbitrary<FunctionDef> = fc
  .record({
    name,
    domain: doc,
    overload: doc,
    inputs: fc.array(name, { maxLength: 2 }),
    outputs: fc.array(name, { maxLength: 2 }),
    attributes: fc.array(name, { maxLength: 2 }),
    defaults: named(attribute),
    nodes: fc.array(node, { maxLength: 2 }),
    opsets,
    values: named(valueInfo).map(
      (values) => new Map(Array.from(values, ([key, value]) => [key, { ...value, name: key }])),
    ),
    doc,
    metadata,
    more: unknown,
  })
  .map(({ more, ...rest }) => ({ ...rest, ...more }));

const model: fc.Arbitrary<Model> = fc
  .record({
    irVersion: fc.integer({ min: 3, max: 13 }),
    opsets,
    graph,
    functions: fc.array(functionDef, { maxLength: 2 }),
    producer: fc.record({ name: doc, version: doc }),
    domain: doc,
    modelVersion: int64,
    doc,
    metadata,
    more: unknown,
  })
  .map(({ more, ...rest }) => ({ ...rest, ...more }));

/** Every tensor's content as bytes, whether it was left in the file or not; nothing else changed. */
async function loaded(read: Model): Promise<Model> {
  const loads: Promise<void>[] = [];
  const visit = (value: unknown): unknown => {
    if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [key, visit(item)]));
    if (Array.isArray(value)) return value.map(visit);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (typeof value !== "object" || value === null) return value;
    const ref = value as TensorRef;
    if ("dims" in value && ref.data.kind !== "strings") {
      const copy: { data: { kind: string; bytes: Uint8Array } } = {
        ...ref,
        data: { kind: "bytes", bytes: new Uint8Array(0) },
      };
      loads.push(readWeightBytes(ref).then((bytes) => void (copy.data.bytes = bytes)));
      return copy;
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item)]));
  };
  const { origin: _, ...rest } = visit(read) as Model;
  await Promise.all(loads);
  return rest;
}

test("any model written and read is the same model, and its bytes are always the same", async () => {
  await fc.assert(
    fc.asyncProperty(model, async (original) => {
      const bytes = await onnxBytes(original);
      const read = await readOnnx(bytesSource(bytes), { validate: false });
      expect(await loaded(read)).toEqual(await loaded(original));
      expect(Buffer.compare(await onnxBytes(read), bytes)).toBe(0);
    }),
    { numRuns: 300, seed: 1 },
  );
});

test("nor does it change when its weights go to a second file", async () => {
  await fc.assert(
    fc.asyncProperty(model, fc.integer({ min: 0, max: 100 }), async (original, threshold) => {
      const main = new BytesSink();
      const second = new BytesSink();
      const written = await writeOnnx(original, main, { external: { location: "w", sink: second, threshold } });
      expect(written).toEqual({ bytes: main.length, externalBytes: second.length });
      const external = async (): Promise<ByteSource> => bytesSource(second.bytes(), "w");
      const read = await readOnnx(bytesSource(main.bytes()), { validate: false, external });
      expect(await loaded(read)).toEqual(await loaded(original));
      for (const [, { data }] of read.graph.initializers)
        if (data.kind === "range" && data.source.name === "w") expect(data.offset % 64).toBe(0);
    }),
    { numRuns: 150, seed: 2 },
  );
});
