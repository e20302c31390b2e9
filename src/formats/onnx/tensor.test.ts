/** One tensor, stored in every way that TensorProto allows, is the same tensor. */
import { describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { ByteBuilder } from "#base/byteBuilder";
import { encodeMessage } from "#formats/onnx/encodeMessage";
import { onnxBytes, parseTensorProto, readOnnx } from "#formats/onnx/index";
import { writeTensor } from "#formats/onnx/tensor";
import { typedFieldOf } from "#formats/onnx/typedData";
import type { Model } from "#model/model";
import { type ElementType, elementTypes, packTensor, type Tensor, type TypedArray } from "#model/tensor";
import { readWeight, weight } from "#model/weights";

// a small independent writer of fields
const varint = (value: bigint): number[] => {
  const out: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 128n) return [...out, Number(rest)];
    out.push(Number(rest & 127n) | 128);
  }
};
const field = (number: number, content: readonly number[]): number[] => [
  ...varint(BigInt(number * 8 + 2)),
  ...varint(BigInt(content.length)),
  ...content,
];
const header = (value: Tensor): number[] => [
  ...value.dims.flatMap((dim) => [8, ...varint(BigInt(dim))]),
  16,
  elementTypes[value.type].code,
  ...field(8, [119]),
];

const numbers: Record<string, { number: number; wire: number }> = {
  floatData: { number: 4, wire: 5 },
  int32Data: { number: 5, wire: 0 },
  int64Data: { number: 7, wire: 0 },
  doubleData: { number: 10, wire: 1 },
  uint64Data: { number: 11, wire: 0 },
};

/** The elements as onnx.proto says that typed fields hold them, each as its bytes on the wire. */
function typedElements(value: Tensor): number[][] {
  const { bits } = elementTypes[value.type];
  const packed = packTensor(value);
  if (
    value.type === "float32" ||
    value.type === "complex64" ||
    value.type === "float64" ||
    value.type === "complex128"
  ) {
    const width = value.type === "float32" || value.type === "complex64" ? 4 : 8;
    return Array.from({ length: packed.length / width }, (_, i) => [...packed.subarray(i * width, (i + 1) * width)]);
  }
  if (bits < 8) return Array.from(packed, (byte) => varint(BigInt(byte)));
  return Array.from(value.data as Int32Array, (element) => varint(BigInt(element))); // or any array of integers
}

const samples: Record<Exclude<ElementType, "string">, TypedArray> = {
  float32: Float32Array.of(1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, 3),
  float64: Float64Array.of(1.5, -0, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324, 3),
  complex64: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
  complex128: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
  int8: Int8Array.of(-128, -1, 0, 1, 127, 5),
  uint8: Uint8Array.of(0, 1, 127, 128, 255, 5),
  int16: Int16Array.of(-32768, -1, 0, 1, 32767, 5),
  uint16: Uint16Array.of(0, 1, 128, 32768, 65535, 5),
  int32: Int32Array.of(-2147483648, -1, 0, 1, 2147483647, 5),
  uint32: Uint32Array.of(0, 1, 128, 2147483648, 4294967295, 5),
  int64: BigInt64Array.of(-(2n ** 63n), -1n, 0n, 1n, 2n ** 63n - 1n, 5n),
  uint64: BigUint64Array.of(0n, 1n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n, 5n),
  bool: Uint8Array.of(0, 1, 1, 0, 0, 1),
  float16: Uint16Array.of(0x3c00, 0x8000, 0x7e00, 0x7c00, 1, 0xffff),
  bfloat16: Uint16Array.of(0x3f80, 0x8000, 0x7fc0, 0x7f80, 1, 0xffff),
  float8e4m3fn: Uint8Array.of(0, 1, 0x7f, 0x80, 0xff, 5),
  float8e4m3fnuz: Uint8Array.of(0, 1, 0x7f, 0x80, 0xff, 5),
  float8e5m2: Uint8Array.of(0, 1, 0x7f, 0x80, 0xff, 5),
  float8e5m2fnuz: Uint8Array.of(0, 1, 0x7f, 0x80, 0xff, 5),
  float8e8m0: Uint8Array.of(0, 1, 0x7f, 0x80, 0xff, 5),
  float4e2m1: Uint8Array.of(0, 1, 7, 8, 15),
  uint4: Uint8Array.of(0, 1, 7, 8, 15),
  int4: Int8Array.of(0, 1, 7, -8, -1),
  uint2: Uint8Array.of(0, 1, 2, 3, 1),
  int2: Int8Array.of(0, 1, -2, -1, 1),
};

const rows = Object.entries(samples) as [Exclude<ElementType, "string">, TypedArray][];
const tensorOf = (type: ElementType, data: TypedArray): Tensor => {
  const count = type.startsWith("complex") ? data.length / 2 : data.length;
  return { type, dims: count % 2 === 0 ? [2, count / 2] : [count], data };
};
const bitsOf = (value: Tensor): number[] => [...packTensor(value)];

describe("a tensor of every element type is read alike", () => {
  test.each(rows)("%s from raw_data", async (type, data) => {
    const value = tensorOf(type, data);
    const ref = parseTensorProto(Uint8Array.from([...header(value), ...field(9, [...packTensor(value)])]));
    expect(ref).toMatchObject({ name: "w", element: type, dims: value.dims });
    const read = await readWeight(ref);
    expect(bitsOf(read)).toEqual(bitsOf(value));
    expect(read.data.constructor).toBe(data.constructor);
  });

  test.each(rows)("%s from its typed field: packed, element by element, and in pieces", async (type, data) => {
    const value = tensorOf(type, data);
    const { number, wire } = numbers[typedFieldOf(type) as string];
    const elements = typedElements(value);
    const single = elements.map((element) => [...varint(BigInt(number * 8 + wire)), ...element]);
    for (const body of [
      field(number, elements.flat()),
      single.flat(),
      [...field(number, elements.slice(0, 2).flat()), ...single.slice(2).flat()],
      [...single[0], ...field(number, []), ...field(number, elements.slice(1).flat())],
    ]) {
      const ref = parseTensorProto(Uint8Array.from([...body, ...header(value)]));
      expect(bitsOf(await readWeight(ref))).toEqual(bitsOf(value));
    }
  });

  test.each(rows)("%s as our writer stores it", async (type, data) => {
    const value = tensorOf(type, data);
    const { parts } = encodeMessage("Tensor", writeTensor(weight("w", value)));
    const out = new ByteBuilder();
    for (const part of parts) if (part instanceof Uint8Array) out.append(part);
    expect(bitsOf(await readWeight(parseTensorProto(out.bytes())))).toEqual(bitsOf(value));
  });

  test("strings, which need not be UTF-8", async () => {
    const value: Tensor = { type: "string", dims: [3], data: ["", "é", "x"] };
    const ref = parseTensorProto(
      Uint8Array.from([...header(value), ...field(6, []), ...field(6, [0xff]), ...field(6, [120])]),
    );
    expect(ref.data).toEqual({ kind: "strings", values: [new Uint8Array(0), Uint8Array.of(0xff), Uint8Array.of(120)] });
  });

  test("no elements, with or without an empty data field", async () => {
    for (const more of [[], field(9, []), field(4, [])]) {
      const ref = parseTensorProto(Uint8Array.from([8, 0, 16, 1, ...more]));
      expect((await readWeight(ref)).data).toEqual(new Float32Array(0));
    }
  });
});

describe("a large tensor", () => {
  const graph = (initializer: readonly number[]): Uint8Array => {
    const y = field(12, field(1, [119]));
    return Uint8Array.from([8, 8, ...field(7, [...field(5, initializer), ...y]), ...field(8, [16, 17])]);
  };
  const count = 5000;

  test("of raw or float data stays a range of the file", async () => {
    const data = Float32Array.from({ length: count }, (_, i) => i / 7);
    const value: Tensor = { type: "float32", dims: [count], data };
    for (const number of [9, 4]) {
      const file = graph([...header(value), ...field(number, [...packTensor(value)])]);
      const { graph: read } = await readOnnx(bytesSource(file));
      const ref = read.initializers.get("w");
      expect(ref?.data).toMatchObject({ kind: "range", length: 4 * count });
      expect(ref === undefined ? [] : (await readWeight(ref)).data).toEqual(data);
    }
  });

  test("of varints is decoded when asked for, and only then found wrong", async () => {
    const data = Int16Array.from({ length: count }, (_, i) => i - 2500);
    const value: Tensor = { type: "int16", dims: [count], data };
    const elements = typedElements(value);
    const good = await readOnnx(bytesSource(graph([...header(value), ...field(5, elements.flat())])));
    const ref = good.graph.initializers.get("w");
    expect(ref?.data).toMatchObject({ kind: "lazy", length: 2 * count });
    expect(ref === undefined ? [] : (await readWeight(ref)).data).toEqual(data);

    const bad = await readOnnx(
      bytesSource(graph([...header(value), ...field(5, elements.slice(1).flat())]), "short.onnx"),
    );
    const short = bad.graph.initializers.get("w");
    await expect(short === undefined ? undefined : readWeight(short)).rejects.toMatchObject({
      code: "onnx/invalid",
      at: { file: "short.onnx", tensor: "w" },
    });
  });

  test("in several pieces is put together", async () => {
    const data = Float32Array.from({ length: count }, (_, i) => i / 7);
    const value: Tensor = { type: "float32", dims: [count], data };
    const packed = [...packTensor(value)];
    const body = [
      ...field(4, packed.slice(0, 8000)),
      ...field(4, packed.slice(8000, 8004)),
      ...field(4, packed.slice(8004)),
    ];
    const { graph: read } = await readOnnx(bytesSource(graph([...header(value), ...body])));
    const ref = read.initializers.get("w");
    expect(ref?.data.kind).toBe("lazy");
    expect(ref === undefined ? [] : (await readWeight(ref)).data).toEqual(data);
  });
});

describe("writing a tensor", () => {
  const model = (ref: ReturnType<typeof weight>): Model => ({
    irVersion: 10,
    opsets: new Map([["", 21]]),
    graph: {
      name: "g",
      nodes: [],
      inputs: [],
      outputs: [],
      initializers: new Map([["w", ref]]),
      values: new Map(),
      doc: "",
      metadata: new Map(),
    },
    functions: [],
    producer: { name: "", version: "" },
    domain: "",
    modelVersion: 0,
    doc: "",
    metadata: new Map(),
  });

  test("whose bytes do not fit its shape is refused", async () => {
    const ref = weight("w", { type: "float32", dims: [3], data: Float32Array.of(1, 2) });
    await expect(onnxBytes(model(ref))).rejects.toMatchObject({ code: "onnx/invalid", at: { tensor: "w" } });
  });

  test("that is made when asked for, with another length than promised, is refused", async () => {
    const ref = {
      ...weight("w", { type: "uint8", dims: [3], data: Uint8Array.of(1, 2, 3) }),
      data: { kind: "lazy", length: 3, load: async () => new Uint8Array(2) } as const,
    };
    await expect(onnxBytes(model(ref))).rejects.toMatchObject({ code: "onnx/invalid" });
  });
});
