import { readdirSync, readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { ErrorCode } from "#base/errors";
import { defaultLimits } from "#base/limits";
import { crc32 } from "#math/crc32";
import { checkImage } from "#data/images/decodeImage";
import { decodePlain } from "#data/images/decodePlain";
import { decodePng } from "#data/images/decodePng";
import { decodeWithSharp } from "#data/images/decodeWithSharp.node";
import { toRgb } from "#data/images/pixels";

interface Golden {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly rgb: string;
}

const folder = new URL("../../../test/golden/png/", import.meta.url);
const cases = readdirSync(folder).map((file): [string, Golden] => [
  file.replace(".json", ""),
  JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Golden,
]);
const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));

describe("PNG without a dependency", () => {
  test.each(cases)("gives Pillow's pixels: %s", async (_, golden) => {
    const image = await decodePng(bytesOf(golden.file), "golden.png");
    expect([image.width, image.height]).toEqual([golden.width, golden.height]);
    expect([...toRgb(image).data]).toEqual([...bytesOf(golden.rgb)]);
  });

  test.each(cases)("and sharp's: %s", async (_, golden) => {
    const file = bytesOf(golden.file);
    expect(toRgb(await decodePng(file, "a.png"))).toEqual(toRgb(await decodeWithSharp(file, "a.png", defaultLimits)));
  });

  const noise = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => (i * 2654435761) >>> 11);

  // libpng writes these; every width and height leaves some of Adam7's passes empty
  test.each([
    [1, 1],
    [2, 3],
    [4, 5],
    [5, 1],
    [8, 8],
    [9, 17],
    [33, 7],
  ])("interlaced %i × %i reads as it was written", async (width, height) => {
    for (const channels of [1, 3, 4] as const) {
      const raw = { width, height, channels };
      const file = await sharp(noise(width * height * channels), { raw })
        .toColourspace(channels === 1 ? "b-w" : "srgb")
        .png({ progressive: true })
        .toBuffer();
      expect(file[28]).toBe(1);
      const image = await decodePng(file, "a.png");
      const want = await sharp(file).removeAlpha().toColourspace("srgb").raw().toBuffer();
      expect([...toRgb(image).data]).toEqual([...want]);
    }
  });

  test("16 bits a sample keep their high byte", async () => {
    const samples = Uint16Array.from({ length: 5 * 4 * 3 }, (_, i) => i * 1091);
    const file = await sharp(samples, { raw: { width: 5, height: 4, channels: 3 } })
      .toColourspace("rgb16")
      .png()
      .toBuffer();
    expect(file[24]).toBe(16);
    expect([...(await decodePng(file, "a.png")).data]).toEqual(Array.from(samples, (x) => x >> 8));
  });
});

/** A PNG of hand-written chunks. */
function png(...chunks: readonly (readonly [type: string, data: Uint8Array])[]): Uint8Array {
  const parts = chunks.map(([type, data]) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(12 + data.length);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), 8 + data.length);
    return out;
  });
  return new Uint8Array(Buffer.concat([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), ...parts]));
}
function header(width: number, height: number, depth = 8, color = 2, interlace = 0): readonly [string, Uint8Array] {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width);
  data.writeUInt32BE(height, 4);
  data.set([depth, color, 0, 0, interlace], 8);
  return ["IHDR", data];
}
const pixelData = (length: number): readonly [string, Uint8Array] => ["IDAT", deflateSync(new Uint8Array(length))];
const end = ["IEND", new Uint8Array(0)] as const;
const whole = png(header(2, 2), pixelData(14), end);
const damaged = whole.slice();
damaged[30] ^= 1;

const hostile: readonly (readonly [what: string, file: Uint8Array, code: ErrorCode])[] = [
  [
    "the 68 bytes of 2³¹ − 1 pixels a side that abort other decoders",
    png(header(2 ** 31 - 1, 2 ** 31 - 1), ["IDAT", new Uint8Array(11)], end),
    "limit/memory",
  ],
  ["20,000 × 20,000 pixels of zeros", png(header(20_000, 20_000), pixelData(1000), end), "limit/memory"],
  ["no pixels across", png(header(0, 5), pixelData(0), end), "data/malformed"],
  ["nothing but the signature", whole.subarray(0, 8), "data/malformed"],
  ["no end", whole.subarray(0, -12), "data/malformed"],
  ["a chunk longer than the file", whole.subarray(0, 50), "data/malformed"],
  ["a damaged chunk", damaged, "data/malformed"],
  ["pixels before the header", png(pixelData(14), header(2, 2), end), "data/malformed"],
  ["a second header, of another size", png(header(2, 2), header(9000, 9000), pixelData(14), end), "data/malformed"],
  ["a header of 12 bytes", png(["IHDR", new Uint8Array(12)], end), "data/malformed"],
  ["colour type 5", png(header(2, 2, 8, 5), pixelData(14), end), "data/malformed"],
  ["RGB of 4 bits", png(header(2, 2, 4, 2), pixelData(14), end), "data/malformed"],
  ["interlacing of kind 2", png(header(2, 2, 8, 2, 2), pixelData(14), end), "data/malformed"],
  ["too few pixels", png(header(2, 2), pixelData(13), end), "data/malformed"],
  ["too many pixels: a bomb", png(header(2, 2), pixelData(50_000_000), end), "limit/memory"],
  ["no pixels at all", png(header(2, 2), end), "data/malformed"],
  ["an unknown filter", png(header(1, 1), ["IDAT", deflateSync(Uint8Array.of(9, 1, 2, 3))], end), "data/malformed"],
  [
    "a colour that is not in the palette",
    png(header(1, 1, 8, 3), ["PLTE", Uint8Array.of(1, 2, 3)], ["IDAT", deflateSync(Uint8Array.of(0, 1))], end),
    "data/malformed",
  ],
];

describe("PNG from strangers", () => {
  test.each(hostile)("%s", async (_, file, code) => {
    const decode = async (): Promise<unknown> => {
      checkImage(file, "a.png", defaultLimits);
      return decodePlain(file, "a.png", defaultLimits);
    };
    const started = performance.now();
    await expect(decode()).rejects.toMatchObject({ code, at: { file: "a.png" } });
    expect(performance.now() - started).toBeLessThan(250);
  });

  test("the file that the hostile ones were made from is read", async () => {
    expect((await decodePlain(whole, "a.png", defaultLimits)).data).toEqual(new Uint8Array(12));
  });

  test("every prefix is refused", async () => {
    for (let size = 8; size < whole.length; size++)
      await expect(decodePng(whole.subarray(0, size), "a.png")).rejects.toMatchObject({ code: "data/malformed" });
  });
});
