import { readFileSync } from "node:fs";
import { crc32 as zlibCrc32 } from "node:zlib";
import { deflateSync, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import type { ErrorCode } from "#base/errors";
import { defaultLimits } from "#base/limits";
import { crc32 } from "#math/crc32";
import { writeNpy } from "#data/npy/npy";
import { openNpz } from "#data/npy/npz";
import { openZip } from "#data/npy/zip";
import { float32 } from "#model/tensor";

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../test/golden/npz/${name}.json`, import.meta.url), "utf8")) as {
    readonly file: string;
    readonly values: readonly string[];
  };
const npy = writeNpy(float32([2, 2], [1, 2, 3, 4]));

interface Member {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly crc?: number;
  /** What the headers say, where it is not the truth. */
  readonly size?: number;
  readonly packed?: number;
  readonly localName?: string;
  readonly localSize?: number;
  readonly offset?: number;
  readonly flags?: number;
}

/** A zip archive with headers as told. */
function zip(members: readonly Member[], end: { count?: number; size?: number; offset?: number } = {}): Uint8Array {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const { name, data, method = 0, localName = name, flags = 0, ...said } of members) {
    const packed = method === 8 ? Buffer.from(deflateSync(data)) : Buffer.from(data);
    const fields = (size: number): Buffer => {
      const out = Buffer.alloc(26);
      out.writeUInt16LE(20, 0);
      out.writeUInt16LE(flags, 2);
      out.writeUInt16LE(method, 4);
      out.writeUInt32LE(said.crc ?? crc32(data), 10);
      out.writeUInt32LE(said.packed ?? packed.length, 14);
      out.writeUInt32LE(size, 18);
      return out;
    };
    const local = fields(said.localSize ?? said.size ?? data.length);
    local.writeUInt16LE(localName.length, 22);
    parts.push(Buffer.from("PK\x03\x04"), local, Buffer.from(localName), packed);
    const entry = fields(said.size ?? data.length);
    entry.writeUInt16LE(name.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(said.offset ?? at, 10);
    central.push(Buffer.from("PK\x01\x02\x14\x00"), entry, rest, Buffer.from(name));
    at += 30 + localName.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const tail = Buffer.alloc(18);
  tail.writeUInt16LE(end.count ?? members.length, 4);
  tail.writeUInt16LE(end.count ?? members.length, 6);
  tail.writeUInt32LE(end.size ?? directory.length, 8);
  tail.writeUInt32LE(end.offset ?? at, 12);
  return new Uint8Array(Buffer.concat([...parts, directory, Buffer.from("PK\x05\x06"), tail]));
}

describe("npz archives", () => {
  test.each(["archive", "archive-compressed"])("NumPy's %s gives its arrays by name", async (name) => {
    const { file, values } = golden(name);
    const archive = await openNpz(bytesSource(new Uint8Array(Buffer.from(file, "base64")), "a.npz"), defaultLimits);
    expect(archive.names).toEqual(["x", "labels", "rate"]);
    const x = await archive.read("x");
    expect(x.dims).toEqual([2, 3, 4]);
    expect(Array.from(x.data as Float32Array, String)).toEqual(values.map((text) => String(Number(text))));
    expect((await archive.read("rate")).data).toEqual(BigInt64Array.of(16000n));
    await expect(archive.read("y")).rejects.toMatchObject({ code: "npz/malformed", at: { tensor: "y" } });
  });

  test("another program's zip reads the same", async () => {
    const archive = await openNpz(bytesSource(zipSync({ "a.npy": npy, "b.npy": [npy, { level: 0 }] })), defaultLimits);
    expect(await archive.read("a")).toEqual(await archive.read("b"));
  });

  test("the test's own writer makes archives that read", async () => {
    for (const method of [0, 8])
      expect(
        (await (await openNpz(bytesSource(zip([{ name: "a.npy", data: npy, method }])), defaultLimits)).read("a")).dims,
      ).toEqual([2, 2]);
  });
});

const zeros = new Uint8Array(4 << 20);
const hostile: readonly (readonly [what: string, file: Uint8Array, code: ErrorCode])[] = [
  ["no zip", npy, "npz/malformed"],
  ["an empty file", new Uint8Array(0), "npz/malformed"],
  [
    "two members of one name",
    zip([
      { name: "a.npy", data: npy },
      { name: "a.npy", data: npy },
    ]),
    "npz/malformed",
  ],
  [
    "two arrays of one name",
    zip([
      { name: "a.npy", data: npy },
      { name: "a", data: npy },
    ]),
    "npz/malformed",
  ],
  ["a name with ..", zip([{ name: "../a.npy", data: npy }]), "npz/malformed"],
  ["a name with .. inside", zip([{ name: "b/../../a.npy", data: npy }]), "npz/malformed"],
  ["an absolute name", zip([{ name: "/etc/a.npy", data: npy }]), "npz/malformed"],
  ["a drive letter", zip([{ name: "C:a.npy", data: npy }]), "npz/malformed"],
  ["backslashes", zip([{ name: "..\\a.npy", data: npy }]), "npz/malformed"],
  ["a NUL in a name", zip([{ name: "a\0.npy", data: npy }]), "npz/malformed"],
  ["an empty name", zip([{ name: "", data: npy }]), "npz/malformed"],
  ["headers of two names", zip([{ name: "a.npy", data: npy, localName: "b.npy" }]), "npz/malformed"],
  ["headers of two sizes", zip([{ name: "a.npy", data: npy, localSize: 7 }]), "npz/malformed"],
  [
    "overlapping members",
    zip([
      { name: "a.npy", data: npy },
      { name: "b.npy", data: npy, offset: 0 },
    ]),
    "npz/malformed",
  ],
  ["a member that starts beyond the file", zip([{ name: "a.npy", data: npy, offset: 99_999 }]), "npz/malformed"],
  [
    "a member that reaches into the directory",
    zip([{ name: "a.npy", data: npy, packed: npy.length + 40, size: npy.length + 40 }]),
    "npz/malformed",
  ],
  ["an encrypted member", zip([{ name: "a.npy", data: npy, flags: 1 }]), "npz/malformed"],
  ["a directory larger than the file", zip([{ name: "a.npy", data: npy }], { size: 9_999_999 }), "npz/malformed"],
  ["more entries than there are", zip([{ name: "a.npy", data: npy }], { count: 2 }), "npz/malformed"],
  ["60,000 entries in a directory of one", zip([{ name: "a.npy", data: npy }], { count: 60_000 }), "npz/malformed"],
  ["zip64 sizes without the zip64 field", zip([{ name: "a.npy", data: npy, size: 0xffffffff }]), "npz/malformed"],
  ["an impossible ratio", zip([{ name: "a.npy", data: npy, size: 0xf0000000 }]), "npz/limit"],
];

describe("archives from strangers", () => {
  test.each(hostile)("%s", async (_, file, code) => {
    await expect(openNpz(bytesSource(file, "a.npz"), defaultLimits)).rejects.toMatchObject({
      code,
      at: { file: "a.npz" },
    });
  });

  test.each<readonly [string, Member, ErrorCode]>([
    ["a damaged member", { name: "a", data: npy, crc: 7 }, "npz/malformed"],
    ["a method nobody knows", { name: "a", data: npy, method: 99 }, "npz/malformed"],
    ["a member that unpacks to more than it says", { name: "a", data: zeros, method: 8, size: 5_000 }, "limit/memory"],
    [
      "a member that unpacks to less than it says",
      { name: "a", data: npy, method: 8, size: npy.length + 1 },
      "npz/malformed",
    ],
  ])("%s is refused when it is read", async (_, member, code) => {
    const archive = await openZip(bytesSource(zip([member]), "a.npz"), defaultLimits);
    await expect(archive.get("a")?.read()).rejects.toMatchObject({ code });
  });

  test("a member over the limit is refused before a byte of it is unpacked", async () => {
    const source = bytesSource(zip([{ name: "a.npy", data: zeros, method: 8 }]), "bomb.npz");
    const archive = await openNpz(source, { ...defaultLimits, unpackedBytes: 2 ** 20 });
    await expect(archive.read("a")).rejects.toMatchObject({ code: "npz/limit", at: { tensor: "a.npy" } });
  });

  test("too many members are refused", async () => {
    const source = bytesSource(
      zip([
        { name: "a", data: npy },
        { name: "b", data: npy },
      ]),
    );
    await expect(openZip(source, { ...defaultLimits, npzMembers: 1 })).rejects.toMatchObject({ code: "npz/limit" });
  });

  test("an archive with any one byte changed is refused or reads the same array", async () => {
    const whole = zip([{ name: "a.npy", data: npy }]);
    let refused = 0;
    for (let at = 0; at < whole.length; at++) {
      const bytes = whole.slice();
      bytes[at] ^= 0x41;
      try {
        const archive = await openNpz(bytesSource(bytes), defaultLimits);
        if (archive.names[0] === "a") expect((await archive.read("a")).data).toEqual(Float32Array.of(1, 2, 3, 4));
      } catch (error) {
        expect(error).toMatchObject({ name: "LowbitError" });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(whole.length / 2);
  });
});

describe("CRC-32", () => {
  test("has the check value of its standard, and zlib's answers", () => {
    expect(crc32(Buffer.from("123456789"))).toBe(0xcbf43926);
    expect(crc32(npy)).toBe(zlibCrc32(npy));
  });
});
