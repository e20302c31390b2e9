/** GGUF files made to break a reader, each after a fault that a loader had: refused with a stated code, in bounded time and memory. */
import { describe, expect, test } from "vitest";
import { type ByteSource, bytesSource } from "#base/bytes";
import type { ErrorCode } from "#base/errors";
import { readGguf } from "#formats/gguf/readGguf";
import { type GgufSpec, ggufFile, joined, pair, type TensorSpec, tensorInfo, text, u32, u64, u8 } from "../ggufBuilder";
import { expectRefused } from "./refused";

const withPair =
  (...parts: Parameters<typeof pair>): (() => Uint8Array) =>
  () =>
    ggufFile({ pairs: [pair(...parts)] });
const withTensor = (tensor: TensorSpec, rest: GgufSpec = {}): (() => Uint8Array) => {
  return () => ggufFile({ tensors: [tensor], ...rest });
};
const nested = (depth: number): Uint8Array =>
  depth === 0 ? joined(u32(0), u64(0)) : joined(u32(9), u64(1), nested(depth - 1));

type Case = readonly [what: string, code: ErrorCode, make: () => Uint8Array];

const cases: readonly Case[] = [
  ["an empty file", "gguf/malformed", () => new Uint8Array(0)],
  ["another magic", "gguf/malformed", () => joined([0x67, 0x67, 0x6d, 0x6c], new Uint8Array(60))],
  // G1: counts
  ["2⁶² tensors", "gguf/truncated", () => ggufFile({ tensorCount: 2n ** 62n })],
  ["2⁶⁴ − 1 tensors", "gguf/truncated", () => ggufFile({ tensorCount: 2n ** 64n - 1n })],
  ["2⁶⁴ − 1 keys", "gguf/truncated", () => ggufFile({ pairCount: 2n ** 64n - 1n })],
  ["one key more than there is room for", "gguf/truncated", () => ggufFile({ pairCount: 6n, data: 64 })],
  // G2: metadata
  ["a key of 2⁶³ bytes", "gguf/limit", withPair(text("a", 2n ** 63n), 0, u8(0))],
  ["a key of 65,536 bytes", "gguf/limit", withPair("k".repeat(65_536), 0, u8(0))],
  ["a key longer than the file", "gguf/truncated", withPair(text("a", 60_000n), 0, u8(0))],
  ["an empty key", "gguf/malformed", withPair("", 0, u8(0))],
  ["a key that is no UTF-8", "gguf/malformed", withPair(text([0xff]), 0, u8(0))],
  ["a key given twice", "gguf/invalid", () => ggufFile({ pairs: [pair("a", 0, u8(0)), pair("a", 0, u8(1))] })],
  ["a value of type 13", "gguf/malformed", withPair("a", 13, u64(0))],
  ["a truth value of 2", "gguf/malformed", withPair("a", 7, u8(2))],
  ["a text of 2⁶³ bytes", "gguf/limit", withPair("a", 8, text("", 2n ** 63n))],
  ["a text that ends after the file", "gguf/truncated", withPair("a", 8, text("", 1000n))],
  ["2⁶¹ texts", "gguf/truncated", withPair("a", 9, joined(u32(8), u64(2n ** 61n)))],
  ["2⁶¹ doubles, which are 2⁶⁴ bytes", "gguf/truncated", withPair("a", 9, joined(u32(12), u64(2n ** 61n)))],
  ["2⁶² arrays", "gguf/truncated", withPair("a", 9, joined(u32(9), u64(2n ** 62n)))],
  ["an array of type 99", "gguf/malformed", withPair("a", 9, joined(u32(99), u64(0)))],
  ["arrays 1,000 deep", "gguf/limit", withPair("a", 9, nested(1000))],
  ["alignment 0", "gguf/invalid", withPair("general.alignment", 4, u32(0))],
  ["alignment 13", "gguf/invalid", withPair("general.alignment", 4, u32(13))],
  ["alignment 2³¹", "gguf/invalid", withPair("general.alignment", 4, u32(2 ** 31))],
  ["an alignment that is signed", "gguf/invalid", withPair("general.alignment", 5, u32(32))],
  // G3: shapes and types
  ["2⁶³ − 1 times 2 elements", "gguf/invalid", withTensor({ extents: [2n ** 63n - 1n, 2] })],
  ["2²² ⁴ elements, which wrap to 2²⁴", "gguf/invalid", withTensor({ extents: Array<number>(4).fill(2 ** 22) })],
  ["2³² ² elements, which wrap to 0", "gguf/invalid", withTensor({ extents: [2 ** 32, 2 ** 32] })],
  ["2⁶² elements of 4 bytes, whose padding wraps", "gguf/invalid", withTensor({ extents: [2n ** 62n] })],
  ["2⁵⁰ elements", "gguf/truncated", withTensor({ extents: [2 ** 50] })],
  ["−1 elements", "gguf/invalid", withTensor({ extents: [-1n] })],
  ["no elements", "gguf/invalid", withTensor({ extents: [4, 0] })],
  ["2³² − 1 dimensions", "gguf/invalid", withTensor({ dimensions: 2 ** 32 - 1 })],
  ["5 dimensions", "gguf/invalid", withTensor({ extents: [1, 1, 1, 1, 1] })],
  ["type 999", "gguf/unsupported", withTensor({ type: 999 })],
  ["type 4, which was taken away", "gguf/unsupported", withTensor({ type: 4, extents: [32] })],
  ["a row that ends in a block", "gguf/invalid", withTensor({ type: 8, extents: [16, 2] })],
  ["a row of 32 in blocks of 256", "gguf/invalid", withTensor({ type: 12, extents: [32, 8] })],
  // G4: places
  ["data past the end", "gguf/truncated", withTensor({ extents: [17] }, { data: 64 })],
  ["an offset past the end", "gguf/truncated", withTensor({ offset: 96 })],
  ["an offset of 2⁶⁴ − 32", "gguf/truncated", withTensor({ offset: 2n ** 64n - 32n })],
  ["an offset that is not aligned", "gguf/invalid", withTensor({ offset: 4 })],
  ["no data at all", "gguf/truncated", withTensor({}, { data: 0 })],
  ["a name of 1,025 bytes", "gguf/limit", withTensor({ name: "n".repeat(1025) })],
  [
    "a name that is no UTF-8",
    "gguf/malformed",
    () => ggufFile({ tensors: [joined(text([0xc3, 0x28]), u32(1), u64(4), u32(0), u64(0))] }),
  ],
  // G5: tensors in each other's place
  ["two tensors of one name", "gguf/invalid", () => ggufFile({ tensors: [{}, { offset: 32 }] })],
  ["two tensors in one place", "gguf/invalid", () => ggufFile({ tensors: [{ name: "a" }, { name: "b" }] })],
  [
    "a tensor that reaches into the next",
    "gguf/invalid",
    () =>
      ggufFile({
        tensors: [
          { name: "b", offset: 32 },
          { name: "a", extents: [9] },
        ],
      }),
  ],
  // G6: versions
  ["version 0", "gguf/unsupported", () => ggufFile({ version: 0 })],
  ["version 1", "gguf/unsupported", () => ggufFile({ version: 1 })],
  ["version 4", "gguf/unsupported", () => ggufFile({ version: 4 })],
  ["a big-endian file", "gguf/unsupported", () => ggufFile({ version: 0x03000000 })],
];

test.each(cases)("%s is refused with %s", async (_, code, make) => {
  const bytes = make();
  const read = () => readGguf(bytesSource(bytes, "hostile.gguf"));
  await expectRefused("hostile.gguf", code, read, { ms: 500, bytes: 64 * 2 ** 20 });
});

test("version 1 and big-endian files are told what to do", async () => {
  for (const [version, hint] of [
    [1, "newer llama.cpp"],
    [0x03000000, "gguf-convert-endian"],
  ] as const)
    await expect(readGguf(bytesSource(ggufFile({ version })))).rejects.toThrow(hint);
});

/** A file of any size whose bytes after `start` are zeros. */
function endless(start: Uint8Array, size: number): ByteSource {
  return {
    name: "endless.gguf",
    size,
    async read(offset, length) {
      const window = new Uint8Array(length);
      if (offset < start.length) window.set(start.subarray(offset, offset + length));
      return window;
    },
  };
}

test.each<readonly [string, Uint8Array]>([
  ["100 million empty texts", joined(u32(8), u64(100_000_000))],
  ["80 million empty arrays", joined(u32(9), u64(80_000_000))],
  ["4 GB of bytes", joined(u32(0), u64(4_000_000_000))],
])("%s in the metadata of a large file do not become memory", async (_, value) => {
  const start = ggufFile({ pairs: [pair("a", 9, value)], data: 0 });
  const source = endless(start, 2 ** 40);
  await expectRefused("endless.gguf", "gguf/limit", () => readGguf(source), { ms: 5000, bytes: 1000 * 2 ** 20 });
});

test("more than 200,000 tensors are refused before any is read", async () => {
  const start = ggufFile({ tensorCount: 200_001n, data: 0 });
  await expectRefused("endless.gguf", "gguf/limit", () => readGguf(endless(start, 2 ** 40)));
});

describe("what looks hostile but is not", () => {
  const good: GgufSpec = {
    pairs: [
      pair("general.architecture", 8, text("llama")),
      pair("x", 9, joined(u32(8), u64(2), text("a"), text([0xff]))),
    ],
    tensors: [
      { name: "b", offset: 32 },
      { name: "a", extents: [2, 2] },
    ],
  };

  test("a file cut at any byte is refused", async () => {
    const whole = ggufFile({ ...good, data: 48 });
    await readGguf(bytesSource(whole));
    for (let length = 0; length < whole.length; length++) {
      const source = bytesSource(whole.subarray(0, length), "cut");
      await expectRefused("cut", length < 4 ? "gguf/malformed" : "gguf/truncated", () => readGguf(source));
    }
  });

  test("tensors may lie in any order, and a text need not be UTF-8", async () => {
    const { tensors, metadata } = await readGguf(bytesSource(ggufFile(good)));
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ["b", [4]],
      ["a", [2, 2]],
    ]);
    expect(metadata.get("x")).toEqual({ type: "array", of: "string", values: ["a", Uint8Array.of(0xff)] });
  });

  test("version 2 is read as version 3 is, and a scalar has no dimensions", async () => {
    const { tensors } = await readGguf(bytesSource(ggufFile({ version: 2, tensors: [tensorInfo({ extents: [] })] })));
    expect(tensors[0].shape).toEqual([]);
  });

  test("metadata that needs many reads is read", async () => {
    const words = Array.from({ length: 200_000 }, (_, i) => text(`token ${i} of many`));
    const bytes = new Uint8Array(await new Blob(words as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    const start = ggufFile({ pairs: [pair("a", 9, joined(u32(8), u64(200_000)))], data: 0, alignment: 1 });
    const file = new Uint8Array(await new Blob([start as Uint8Array<ArrayBuffer>, bytes]).arrayBuffer());
    const { metadata } = await readGguf(bytesSource(file));
    expect(metadata.get("a")).toMatchObject({
      of: "string",
      values: { length: 200_000, 199_999: "token 199999 of many" },
    });
  });
});
