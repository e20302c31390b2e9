/** safetensors files made to break a reader: each is refused with a stated code, in bounded time and memory. */
import { describe, expect, test } from "vitest";
import { type ByteSource, bytesSource } from "#base/bytes";
import type { ErrorCode } from "#base/errors";
import { defaultLimits } from "#base/limits";
import { readSafetensors } from "#formats/safetensors/readSafetensors";
import { readShards } from "#formats/safetensors/shardIndex";
import { expectRefused } from "./refused";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A file of a header and `data` bytes; `promised` where its length is a lie. */
function file(header: string | Uint8Array, data = 0, promised?: bigint): Uint8Array {
  const json = typeof header === "string" ? encode(header) : header;
  const out = new Uint8Array(8 + json.byteLength + data);
  new DataView(out.buffer).setBigUint64(0, promised ?? BigInt(json.byteLength), true);
  out.set(json, 8);
  return out;
}

const entry = (dtype: string, shape: string, begin: number | string, end: number | string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;
const one = (shape: string, end = 16): Uint8Array => file(`{"w":${entry("F32", shape, 0, end)}}`, end);
const filled = (start: string, byte: string, length: number, end = ""): Uint8Array => {
  const out = new Uint8Array(length).fill(byte.charCodeAt(0));
  out.set(encode(start));
  out.set(encode(end), length - end.length);
  return out;
};

type Case = readonly [what: string, code: ErrorCode, make: () => Uint8Array];

const cases: readonly Case[] = [
  // T1: the length of the header
  ...Array.from(
    { length: 8 },
    (_, length): Case => [`${length} bytes`, "safetensors/truncated", () => new Uint8Array(length)],
  ),
  ["no header at all", "safetensors/malformed", () => file("")],
  ["a header of one byte 0xff", "safetensors/malformed", () => file(Uint8Array.of(0xff))],
  ["a header of 2⁶⁴ − 1 bytes", "safetensors/limit", () => file("{}", 0, 2n ** 64n - 1n)],
  ["a header of 100,000,001 bytes", "safetensors/limit", () => file("{}", 0, 100_000_001n)],
  ["a header longer than the file", "safetensors/truncated", () => file("{}", 0, 3n)],
  // T2: shapes
  ["a dimension of 2⁶⁴ − 2", "safetensors/malformed", () => one("[2,18446744073709551614]")],
  ["a dimension of 2⁶³ − 1", "safetensors/malformed", () => one("[2,9223372036854775807]")],
  ["a dimension of 2⁵³ + 1", "safetensors/malformed", () => one("[9007199254740993]")],
  ["dimensions whose product is 2⁶⁴", "safetensors/invalid", () => one("[4294967296,4294967296]")],
  [
    "64 dimensions of 2⁵³ − 1",
    "safetensors/invalid",
    () =>
      one(
        `[${Array<number>(64)
          .fill(2 ** 53 - 1)
          .join()}]`,
      ),
  ],
  ["a dimension 1.0", "safetensors/malformed", () => one("[1.0]", 4)],
  ["a dimension 1e0", "safetensors/malformed", () => one("[1e0]", 4)],
  ["a dimension −0", "safetensors/malformed", () => one("[-0]", 0)],
  ["a dimension 01", "safetensors/malformed", () => one("[01]", 4)],
  ['a dimension "3"', "safetensors/malformed", () => one('["3"]', 12)],
  ["a dimension null", "safetensors/malformed", () => one("[null]", 4)],
  ["65 dimensions", "safetensors/limit", () => one(`[${Array<number>(65).fill(1).join()}]`, 4)],
  ["a shape that is no array", "safetensors/malformed", () => one("4")],
  // T3: many tensors in one place
  [
    "100,000 tensors that share 16 bytes",
    "safetensors/invalid",
    () => file(`{${Array.from({ length: 100_000 }, (_, i) => `"${i}":${entry("F32", "[4]", 0, 16)}`).join()}}`, 16),
  ],
  [
    "300,000 empty tensors",
    "safetensors/limit",
    () => file(`{${Array.from({ length: 300_000 }, (_, i) => `"${i}":${entry("F32", "[0]", 0, 0)}`).join()}}`),
  ],
  // T4: keys given twice
  [
    "a tensor given twice",
    "safetensors/malformed",
    () => file(`{"a":${entry("U8", "[1]", 0, 1)},"a":${entry("U8", "[1]", 1, 2)}}`, 2),
  ],
  [
    "a tensor given twice, once in escapes",
    "safetensors/malformed",
    () => file(String.raw`{"a":${entry("U8", "[1]", 0, 1)},"\u0061":${entry("U8", "[1]", 1, 2)}}`, 2),
  ],
  ["metadata given twice", "safetensors/malformed", () => file('{"__metadata__":{},"__metadata__":{}}')],
  ["a key of metadata given twice", "safetensors/malformed", () => file('{"__metadata__":{"a":"1","a":"2"}}')],
  [
    "a shape given twice",
    "safetensors/malformed",
    () => file('{"w":{"dtype":"U8","shape":[1],"shape":[2],"data_offsets":[0,2]}}', 2),
  ],
  // T5: names of what every object inherits
  ['the dtype "constructor"', "safetensors/unsupported", () => file(`{"w":${entry("constructor", "[1]", 0, 1)}}`, 1)],
  ["an unknown dtype", "safetensors/unsupported", () => file(`{"w":${entry("F7", "[8]", 0, 7)}}`, 7)],
  // T6: bytes of nobody, and of two
  ["a byte after the last tensor", "safetensors/invalid", () => file(`{"w":${entry("U8", "[4]", 0, 4)}}`, 5)],
  ["bytes and no tensors", "safetensors/invalid", () => file("{}", 1)],
  ["a hole", "safetensors/invalid", () => file(`{"a":${entry("U8", "[1]", 0, 1)},"b":${entry("U8", "[1]", 2, 3)}}`, 3)],
  ["a hole before the first tensor", "safetensors/invalid", () => file(`{"a":${entry("U8", "[1]", 1, 2)}}`, 2)],
  [
    "an overlap",
    "safetensors/invalid",
    () => file(`{"a":${entry("U8", "[2]", 0, 2)},"b":${entry("U8", "[2]", 1, 3)}}`, 3),
  ],
  [
    "an empty tensor inside another",
    "safetensors/invalid",
    () => file(`{"a":${entry("U8", "[2]", 0, 2)},"b":${entry("U8", "[0]", 1, 1)}}`, 2),
  ],
  ["two missing bytes", "safetensors/truncated", () => file(`{"w":${entry("U8", "[4]", 0, 4)}}`, 2)],
  ["an end before the beginning", "safetensors/invalid", () => file(`{"w":${entry("U8", "[0]", 4, 0)}}`, 4)],
  [
    "an end of 2⁵³ − 1",
    "safetensors/truncated",
    () => file(`{"w":${entry("U8", "[9007199254740991]", 0, "9007199254740991")}}`, 4),
  ],
  ["three offsets", "safetensors/malformed", () => file('{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}', 1)],
  ["three 4-bit numbers", "safetensors/invalid", () => file(`{"w":${entry("F4", "[3]", 0, 2)}}`, 2)],
  ["two 6-bit numbers", "safetensors/invalid", () => file(`{"w":${entry("F6_E2M3", "[2]", 0, 2)}}`, 2)],
  // T7: what makes a parser slow
  ["24 MB of brackets", "safetensors/malformed", () => file(filled("{", "[", 24_000_000))],
  ["24 MB of brackets as a tensor", "safetensors/malformed", () => file(filled('{"w":', "[", 24_000_000))],
  ["24 MB of spaces", "safetensors/malformed", () => file(filled("", " ", 24_000_000))],
  ["24 MB of zeros", "safetensors/malformed", () => file(new Uint8Array(24_000_000))],
  ["a key of 24 MB that does not end", "safetensors/malformed", () => file(filled('{"', "a", 24_000_000))],
  ["24 MB of digits", "safetensors/malformed", () => file(filled('{"w":{"shape":[', "1", 24_000_000))],
  // grammar
  ["an array", "safetensors/malformed", () => file("[]")],
  ["a byte order mark", "safetensors/malformed", () => file("\ufeff{}")],
  ["a comma too many", "safetensors/malformed", () => file('{"__metadata__":{},}')],
  [
    "no comma",
    "safetensors/malformed",
    () => file(`{"a":${entry("U8", "[1]", 0, 1)} "b":${entry("U8", "[1]", 1, 2)}}`, 2),
  ],
  ["a second object", "safetensors/malformed", () => file("{}{}")],
  ["a name that is not UTF-8", "safetensors/malformed", () => file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a))],
  ["half a surrogate pair", "safetensors/malformed", () => file(String.raw`{"__metadata__":{"\ud800":""}}`)],
  ["an unknown escape", "safetensors/malformed", () => file(String.raw`{"__metadata__":{"\x41":""}}`)],
  ["a line feed in a name", "safetensors/malformed", () => file('{"__metadata__":{"a\nb":""}}')],
  ["metadata that is a number", "safetensors/malformed", () => file('{"__metadata__":{"a":1}}')],
  ["a tensor without shape", "safetensors/malformed", () => file('{"w":{"dtype":"U8","data_offsets":[0,0]}}')],
  [
    "a field of another format",
    "safetensors/malformed",
    () => file('{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"strides":[1]}}'),
  ],
  ["a tensor that is null", "safetensors/malformed", () => file('{"w":null}')],
];

test.each(cases)("%s is refused with %s", async (_, code, make) => {
  const bytes = make();
  await expectRefused("hostile.safetensors", code, () => readSafetensors(bytesSource(bytes, "hostile.safetensors")), {
    ms: 2000,
  });
});

test("even with the limit of the reference, 99 MB of nothing are passed over in linear time", async () => {
  const limits = { ...defaultLimits, safetensorsHeaderBytes: 100_000_000 };
  for (const header of [filled("{", "[", 99_000_000), filled("{", " ", 99_000_000), filled('{"', "a", 99_000_000)]) {
    const source = bytesSource(file(header), "slow.safetensors");
    await expectRefused("slow.safetensors", "safetensors/malformed", () => readSafetensors(source, limits), {
      ms: 6000,
    });
  }
});

test("what the file is instead is said where its first bytes tell", async () => {
  for (const [start, hint] of [
    ["version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"],
    ["<!doctype html><html>", "web page"],
    ["PK\u0003\u0004 a checkpoint of PyTorch", "zip"],
  ]) {
    const source = bytesSource(encode(start.padEnd(64)), "pointer.safetensors");
    const { hint: said } = await expectRefused("pointer.safetensors", "safetensors/limit", () =>
      readSafetensors(source),
    );
    expect(said).toContain(hint);
  }
});

test("a header over the limit is refused before it is read", async () => {
  let read = 0;
  const source: ByteSource = {
    name: "endless.safetensors",
    size: 2 ** 40,
    async read(_, length) {
      read += length;
      return file("", 0, 2n ** 32n).subarray(0, length);
    },
  };
  await expectRefused("endless.safetensors", "safetensors/limit", () => readSafetensors(source));
  expect(read).toBeLessThan(100);
});

describe("what looks hostile but is not", () => {
  test("a file cut at any byte is refused", async () => {
    const whole = file(
      `{"__metadata__":{"format":"pt"},"a":${entry("F16", "[2,1]", 0, 4)},"b":${entry("F32", "[1]", 4, 8)}}`,
      8,
    );
    await readSafetensors(bytesSource(whole));
    for (let length = 0; length < whole.length; length++) {
      const bytes = whole.subarray(0, length);
      await expectRefused("cut", "safetensors/truncated", () => readSafetensors(bytesSource(bytes, "cut")));
    }
  });

  test("__proto__ and constructor are names like any other", async () => {
    const { tensors, metadata } = await readSafetensors(
      bytesSource(
        file(
          `{"__metadata__":{"__proto__":"x"},"__proto__":${entry("U8", "[1]", 0, 1)},"constructor":${entry("U8", "[]", 1, 2)}}`,
          2,
        ),
      ),
    );
    expect(tensors.map(({ name }) => name)).toEqual(["__proto__", "constructor"]);
    expect([...metadata]).toEqual([["__proto__", { type: "string", value: "x" }]]);
    expect(({} as Record<string, unknown>)["dtype"]).toBeUndefined();
  });

  test("white space before the header, scalars, empty tensors and a key of 20 MB are read", async () => {
    const key = "k".repeat(20_000_000);
    const { tensors } = await readSafetensors(
      bytesSource(
        file(` \n\t{ "${key}" : ${entry("U8", "[]", 0, 1)} , "empty":${entry("F32", "[ 3 , 0 ]", 0, 0)} } `, 1),
      ),
    );
    expect(tensors.map(({ shape }) => shape)).toEqual([[3, 0], []]);
  });

  test("bits of numbers are not touched: a signalling NaN stays one", async () => {
    const bytes = file(`{"w":${entry("F32", "[2]", 0, 8)}}`, 8);
    const bits = [0x7f800001, 0x00000001];
    bytes.set(new Uint8Array(Uint32Array.from(bits).buffer), bytes.length - 8);
    const [{ data }] = (await readSafetensors(bytesSource(bytes))).tensors;
    expect([...new Uint32Array((await data.read(0, 8)).slice().buffer)]).toEqual(bits);
  });
});

describe("an index of shards", () => {
  const shard = file(`{"a":${entry("U8", "[1]", 0, 1)}}`, 1);
  const read = (text: string) =>
    readShards(bytesSource(encode(text), "index.json"), async (location) => bytesSource(shard, location));

  test.each<readonly [string, ErrorCode, string]>([
    ["a file above the folder", "safetensors/shard", '{"weight_map":{"a":"../b"}}'],
    ["an absolute path", "safetensors/shard", '{"weight_map":{"a":"/etc/passwd"}}'],
    ["a drive", "safetensors/shard", String.raw`{"weight_map":{"a":"C:\\b"}}`],
    ["a web address", "safetensors/shard", '{"weight_map":{"a":"https://b/c"}}'],
    ["no name at all", "safetensors/shard", '{"weight_map":{"a":""}}'],
    ["a tensor given twice", "safetensors/malformed", '{"weight_map":{"a":"x","a":"y"}}'],
    ["no map", "safetensors/malformed", '{"metadata":{}}'],
    ["10,000 brackets", "safetensors/malformed", `{"metadata":${"[".repeat(10_000)}`],
    ["a map that is a list", "safetensors/malformed", '{"weight_map":[]}'],
  ])("with %s is refused with %s", async (_, code, text) => {
    await expectRefused("index.json", code, () => read(text));
  });

  test("that promises a tensor which the file lacks is refused, naming both", async () => {
    const error = await expectRefused("x", "safetensors/shard", () => read('{"weight_map":{"a":"x","b":"x"}}'));
    expect(error.at.tensor).toBe("b");
  });

  test("may say other things too", async () => {
    const text = '{"metadata":{"total_size":1.5e3,"x":[null,true,{"y":-0.1}]},"weight_map":{"a":"x"}}';
    expect((await read(text)).file.tensors).toHaveLength(1);
  });
});
