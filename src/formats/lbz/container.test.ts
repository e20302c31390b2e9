import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import { createRng } from "#base/rng";
import { chunkBytes } from "#formats/lbz/chunk";
import { type FileToPack, listPacked, pack, unpack } from "#formats/lbz/container";
import { type Coder, coders } from "#formats/lbz/symbols";
import { normal } from "#math/normal";
import { packBits } from "#math/packing";

function file(name: string, bytes: Uint8Array, segments: FileToPack["segments"] = []): FileToPack {
  return { name, source: bytesSource(bytes, name), segments };
}

async function packed(files: readonly FileToPack[], allowed?: readonly Coder[]): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await pack(files, { write: async (chunk) => void chunks.push(chunk) }, allowed ? { coders: allowed } : {});
  return joined(chunks);
}

async function unpacked(bytes: Uint8Array): Promise<Record<string, Uint8Array>> {
  const found: Record<string, Uint8Array[]> = {};
  await unpack(bytesSource(bytes, "x.lbz"), async (name) => {
    found[name] = [];
    return { write: async (chunk) => void found[name].push(chunk) };
  });
  return Object.fromEntries(Object.entries(found).map(([name, chunks]) => [name, joined(chunks)]));
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

/** Codes of a normal distribution: what most quantized tensors are. */
function codes(count: number, bits: number, deviation: number): Uint8Array {
  const rng = createRng(9);
  const top = 2 ** bits - 1;
  const code = (): number => Math.max(0, Math.min(top, Math.floor(normal(rng) * deviation + 2 ** (bits - 1))));
  return packBits(Array.from({ length: count }, code), bits);
}

const bytes = fc
  .oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc.array(fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 255 })), { maxLength: 600 }),
  )
  .map((values) => Uint8Array.from(values));

describe("a packed file", () => {
  test("unpacks byte for byte, with any coder, however its segments lie", async () => {
    const segments = fc.array(fc.record({ offset: fc.nat(700), length: fc.nat(300) }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(bytes, segments, fc.subarray([...coders]), async (content, pieces, allowed) => {
        const small = await packed([file("m.onnx", content, pieces)], allowed);
        expect(await unpacked(small)).toEqual({ "m.onnx": content });
      }),
    );
  });

  test("holds several files, in folders", async () => {
    const files = { "m.onnx": codes(500, 8, 20), "weights/a.bin": codes(900, 4, 2) };
    const small = await packed(Object.entries(files).map(([name, content]) => file(name, content)));
    expect(await unpacked(small)).toEqual(files);
    expect((await listPacked(bytesSource(small))).map(({ name }) => name)).toEqual(Object.keys(files));
  });

  test("goes on after the first chunk", async () => {
    const content = new Uint8Array(chunkBytes + 1001);
    content.fill(7, 100, chunkBytes + 50);
    const [found] = Object.values(await unpacked(await packed([file("m", content)])));
    expect(Buffer.compare(found, content)).toBe(0);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("finds out by itself that codes have %i bits", async (bits) => {
    const count = 40_000;
    const small = await packed([file("m", codes(count, bits, 2 ** bits / 12))]);
    const entropy = entropyOf(codes(count, bits, 2 ** bits / 12), bits, count);
    expect(small.length).toBeLessThan((entropy / 8) * 1.01 + 500);
  });

  test("keeps zeros apart where nearly all are", async () => {
    const rng = createRng(2);
    const content = Uint8Array.from({ length: 50_000 }, () => (rng.uniform() < 0.9 ? 0 : 1 + rng.below(255)));
    const [dense, sparse] = await Promise.all([
      packed([file("m", content)], ["huffman"]),
      packed([file("m", content)], ["huffman", "sparse"]),
    ]);
    expect(sparse.length).toBeLessThan(dense.length);
  });
});

describe("a damaged packed file", () => {
  test("is refused, or is what was packed: never something else", async () => {
    const content = codes(3000, 4, 2);
    const small = await packed([file("m.onnx", content, [{ offset: 40, length: 900 }])]);
    const damage = fc.record({ at: fc.nat(small.length - 1), value: fc.nat(255), cut: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, value, cut }) => {
        const harmed = cut ? small.slice(0, at) : small.map((byte, i) => (i === at ? value : byte));
        try {
          const found = Object.values(await unpacked(harmed));
          expect(found).toEqual([content]);
        } catch (error) {
          expect(error).toBeInstanceOf(LowbitError);
          expect((error as LowbitError).code).toBe("lbz/malformed");
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["leaves its folder", { name: "../m", bytes: 0, segments: [] }],
    ["is absolute", { name: "/etc/m", bytes: 0, segments: [] }],
    ["is of another system", { name: "a\\b", bytes: 0, segments: [] }],
    ["has sizes that do not add up", { name: "m", bytes: 5, segments: [[4, 8, 1]] }],
    ["has symbols of no bits", { name: "m", bytes: 4, segments: [[4, 0, 1]] }],
    ["would fill the disk", { name: "m", bytes: 2 ** 40, segments: [[2 ** 40, 8, 1]] }],
  ])("is refused by its header where a file %s", async (_, entry) => {
    const text = new TextEncoder().encode(JSON.stringify({ files: [entry] }));
    const bytes = Uint8Array.from([0x4c, 0x42, 0x5a, 0x31, text.length, ...text, 0, 0, 0, 0]);
    await expect(listPacked(bytesSource(bytes, "x.lbz"))).rejects.toMatchObject({ code: "lbz/malformed" });
  });
});

function entropyOf(packedCodes: Uint8Array, bits: number, count: number): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    let code = 0;
    for (let b = 0; b < bits; b++) {
      const at = i * bits + b;
      code |= ((packedCodes[at >> 3] >> (at & 7)) & 1) << b;
    }
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts.values()].reduce((sum, n) => sum + n * Math.log2(count / n), 0);
}
