import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { crop, type Pixels, pixels, toGray, toRgb } from "#data/images/pixels";
import { type Filter, filters, resize } from "#data/preprocess/resize";

interface Golden {
  readonly program: string;
  readonly channels: 1 | 3;
  readonly width: number;
  readonly height: number;
  readonly pixels: string;
  readonly targetWidth: number;
  readonly targetHeight: number;
  readonly results: Readonly<Record<Filter, string>>;
}

const folder = new URL("../../../test/golden/resize/", import.meta.url);
const cases = readdirSync(folder).map((file): [string, Golden] => [
  file.replace(".json", ""),
  JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Golden,
]);
const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));
const imageOf = (golden: Golden): Pixels =>
  pixels(golden.width, golden.height, golden.channels, bytesOf(golden.pixels));

describe.each(filters)("resizing with %s", (filter) => {
  test.each(cases)("gives Pillow's bytes: %s", (_, golden) => {
    const made = resize(imageOf(golden), golden.targetWidth, golden.targetHeight, filter);
    expect([made.width, made.height, made.channels]).toEqual([
      golden.targetWidth,
      golden.targetHeight,
      golden.channels,
    ]);
    expect([...made.data]).toEqual([...bytesOf(golden.results[filter])]);
  });

  test("computes of a window what the whole would have there", () => {
    for (const [, golden] of cases) {
      const image = imageOf(golden);
      const { targetWidth: width, targetHeight: height } = golden;
      const window = {
        left: width >> 1,
        top: height >> 2,
        width: width - (width >> 1),
        height: height - (height >> 1),
      };
      expect(resize(image, width, height, filter, window)).toEqual(crop(resize(image, width, height, filter), window));
    }
  });

  test("leaves an image of the wanted size as it is", () => {
    const image = pixels(3, 2, 1, Uint8Array.of(0, 255, 7, 9, 128, 3));
    expect(resize(image, 3, 2, filter)).toEqual(image);
  });
});

describe("pixels", () => {
  test("a crop beyond the image is black there", () => {
    const image = pixels(2, 2, 1, Uint8Array.of(1, 2, 3, 4));
    expect([...crop(image, { left: -1, top: 1, width: 4, height: 2 }).data]).toEqual([0, 3, 4, 0, 0, 0, 0, 0]);
    expect([...crop(image, { left: 5, top: 0, width: 1, height: 1 }).data]).toEqual([0]);
  });

  test("gray stays gray through three channels and back", () => {
    const image = pixels(
      256,
      1,
      1,
      Uint8Array.from({ length: 256 }, (_, i) => i),
    );
    expect(toGray(toRgb(image))).toEqual(image);
  });

  test("luma weighs red, green and blue as Pillow does", () => {
    // Pillow 13: Image.new("RGB", (1, 1), colour).convert("L")
    expect([...toGray(pixels(4, 1, 3, Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 12, 200, 99))).data]).toEqual([
      76, 150, 29, 132,
    ]);
  });

  test("bytes that do not fill the image are refused", () => {
    expect(() => pixels(2, 2, 3, new Uint8Array(11))).toThrow(/12 bytes, not 11/);
  });
});
