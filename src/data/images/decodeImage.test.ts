import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { ErrorCode } from "#base/errors";
import { defaultLimits } from "#base/limits";
import { checkImage, imageNames } from "#data/images/decodeImage";
import { decodePlain } from "#data/images/decodePlain";
import { decodeWithSharp } from "#data/images/decodeWithSharp.node";
import { imageFormat, imageSize } from "#data/images/imageSize";
import { pixels } from "#data/images/pixels";

const picture = { width: 37, height: 23, channels: 3 } as const;
const raw = new Uint8Array(37 * 23 * 3).map((_, i) => (i * 7) ^ (i >> 5));
const image = sharp(raw, { raw: picture });
const files: readonly (readonly [string, Uint8Array])[] = [
  ["png", await image.clone().png().toBuffer()],
  ["jpeg", await image.clone().jpeg().toBuffer()],
  [
    "jpeg",
    await image
      .clone()
      .jpeg({ progressive: true })
      .withExif({ IFD0: { Copyright: "x".repeat(5000) } })
      .toBuffer(),
  ],
  ["gif", await image.clone().gif().toBuffer()],
  ["webp", await image.clone().webp().toBuffer()],
  ["webp", await image.clone().webp({ lossless: true }).toBuffer()],
  ["webp", await image.clone().ensureAlpha(0.5).webp().toBuffer()],
  ["pnm", new Uint8Array(Buffer.concat([Buffer.from("P6 # made by hand\n37 23\n# and so on\n255\n"), raw]))],
];

describe("the size of an image", () => {
  test.each(files)("is read from the header of a %s", (format, file) => {
    expect(imageFormat(file)).toBe(format);
    expect(imageSize(file)).toMatchObject({ width: 37, height: 23 });
  });

  test.each(files)("of a %s cut short is right or unknown, never an exception", (_, file) => {
    for (let end = 0; end < Math.min(file.length, 400); end++) {
      const size = imageSize(file.subarray(0, end));
      if (size !== undefined && imageFormat(file) !== "pnm") expect(size).toMatchObject({ width: 37, height: 23 });
    }
  });

  test("formats without a header of ours are told apart", () => {
    const head = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
    expect([head("\0\0\0\x20ftypavif"), head("II*\0"), head("BM"), head("<svg"), head("")].map(imageFormat)).toEqual([
      "heif",
      "tiff",
      "bmp",
      undefined,
      undefined,
    ]);
    expect(imageSize(head("II*\0"))).toBeUndefined();
  });

  test("too many pixels, or too many bytes, are refused before anything is decoded", () => {
    const limits = { ...defaultLimits, imagePixels: 37 * 23 - 1 };
    for (const [, file] of files)
      expect(() => checkImage(file, "a", limits)).toThrow(expect.objectContaining({ code: "limit/memory" }));
    for (const [, file] of files) expect(() => checkImage(file, "a", defaultLimits)).not.toThrow();
    expect(() => checkImage(files[0][1], "a", { ...defaultLimits, imageBytes: 10 })).toThrow(
      /over the limit of 10 for one image/,
    );
  });
});

describe("decoding with sharp", () => {
  test("PNG, lossless WebP and PPM give the pixels that went in", async () => {
    for (const index of [0, 5, 7])
      expect((await decodeWithSharp(files[index][1], "a", defaultLimits)).data).toEqual(raw);
  });

  test.each(files)("a %s becomes RGB of its size", async (_, file) => {
    const { width, height, channels } = await decodeWithSharp(file, "a", defaultLimits);
    expect([width, height, channels]).toEqual([37, 23, 3]);
  });

  test("a gray JPEG, a CMYK JPEG and a TIFF become 1 or 3 channels of bytes", async () => {
    const kinds = [
      await image.clone().grayscale().jpeg().toBuffer(),
      await image.clone().toColourspace("cmyk").jpeg().toBuffer(),
      await image.clone().tiff().toBuffer(),
    ];
    for (const file of kinds) {
      const { width, height, channels, data } = await decodeWithSharp(file, "a", defaultLimits);
      expect([width, height, data.length]).toEqual([37, 23, 37 * 23 * channels]);
    }
  });

  test("an image that its camera held sideways stands upright", async () => {
    const file = await image
      .clone()
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      .toBuffer();
    const upright = await decodeWithSharp(file, "a", defaultLimits);
    expect([upright.width, upright.height]).toEqual([23, 37]);
    // orientation 6: the file's left edge is the top; its first pixel comes to the right end of the first row
    const flat = await sharp(file, { autoOrient: false }).raw().toBuffer();
    expect([...upright.data.subarray(22 * 3, 22 * 3 + 3)]).toEqual([...flat.subarray(0, 3)]);
  });

  test.each<[string, Uint8Array, ErrorCode]>([
    ["text", new Uint8Array(Buffer.from("not an image at all, though its name says so")), "data/malformed"],
    ["a JPEG cut in half", files[1][1].subarray(0, files[1][1].length >> 1), "data/malformed"],
    ["a PNG cut in half", files[0][1].subarray(0, files[0][1].length >> 1), "data/malformed"],
    [
      "an SVG, which is a program",
      new Uint8Array(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')),
      "data/malformed",
    ],
    ["a BMP", new Uint8Array(Buffer.from("BM\0\0\0\0\0\0\0\0")), "data/malformed"],
    ["a PPM of 16 bits", new Uint8Array(Buffer.from("P6 1 1 65535\n\0\0\0\0\0\0")), "data/malformed"],
    ["a PPM without its pixels", new Uint8Array(Buffer.from("P5 9 9 255\n\0")), "data/malformed"],
  ])("%s is refused by name", async (_, file, code) => {
    await expect(decodeWithSharp(file, "cat.jpg", defaultLimits)).rejects.toMatchObject({
      code,
      at: { file: "cat.jpg" },
    });
  });

  test("a TIFF over the limit is refused by its own header", async () => {
    const file = await image.clone().tiff().toBuffer();
    await expect(decodeWithSharp(file, "a.tif", { ...defaultLimits, imagePixels: 100 })).rejects.toMatchObject({
      code: "limit/memory",
    });
  });
});

describe("decoding without sharp", () => {
  test("PGM is gray", async () => {
    const file = new Uint8Array(Buffer.from("P5\n2 1\n255\n\x07\x09", "latin1"));
    expect(await decodePlain(file, "a.pgm", defaultLimits)).toEqual(pixels(2, 1, 1, Uint8Array.of(7, 9)));
  });

  test("other formats are refused with the way to read them", async () => {
    await expect(decodePlain(files[1][1], "a.jpg", defaultLimits)).rejects.toMatchObject({
      code: "data/decoder",
      hint: expect.stringContaining("npm install sharp"),
    });
  });
});

test("files are taken for images by their ending, in any case", () => {
  expect(["a.JPEG", "b.png", "c.webp", "d.AVIF", "e.tiff"].every((name) => imageNames.test(name))).toBe(true);
  expect(["a.svg", "b.txt", "png", "c.png.txt", "d.bmp"].some((name) => imageNames.test(name))).toBe(false);
});
