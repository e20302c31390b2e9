import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { inflate, isGzip, type Packing } from "#data/inflate";

const text = new Uint8Array(50_000).map((_, i) => (i * i) >> 7);
const packers: Record<Packing, (bytes: Uint8Array) => Uint8Array> = {
  "deflate-raw": deflateRawSync,
  deflate: deflateSync,
  gzip: gzipSync,
};
const at = { file: "x" };

describe.each(Object.entries(packers) as [Packing, (bytes: Uint8Array) => Uint8Array][])(
  "unpacking %s",
  (packing, pack) => {
    test("gives what was packed", async () => {
      expect(await inflate(packing, pack(text), text.length, at)).toEqual(text);
      expect(await inflate(packing, pack(new Uint8Array(0)), 0, at)).toEqual(new Uint8Array(0));
    });

    test("a stream cut short is refused", async () => {
      const packed = pack(text);
      for (const end of [0, 1, packed.length >> 1, packed.length - 1])
        await expect(inflate(packing, packed.subarray(0, end), text.length, at)).rejects.toMatchObject({
          code: "data/malformed",
          at,
        });
    });

    test("a bomb of 64 MB is stopped at its limit, at once", async () => {
      const bomb = pack(new Uint8Array(64 << 20));
      expect(bomb.length).toBeLessThan(300_000);
      const started = performance.now();
      await expect(inflate(packing, bomb, 1 << 20, at)).rejects.toMatchObject({ code: "limit/memory" });
      expect(performance.now() - started).toBeLessThan(1000);
    });

    test("one byte over the limit is over", async () => {
      await expect(inflate(packing, pack(text), text.length - 1, at)).rejects.toMatchObject({ code: "limit/memory" });
    });
  },
);

test("a gzip file whose checksum differs is refused", async () => {
  const packed = gzipSync(text);
  packed[packed.length - 5] ^= 1;
  await expect(inflate("gzip", packed, text.length, at)).rejects.toMatchObject({ code: "data/malformed" });
  expect(isGzip(packed)).toBe(true);
  expect(isGzip(Uint8Array.of(0x1f, 0x8b))).toBe(false);
});
