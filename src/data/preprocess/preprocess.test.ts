import { describe, expect, test } from "vitest";
import { type Pixels, pixels } from "#data/images/pixels";
import { reshape } from "#data/preprocess/geometry";
import { fitImages } from "#data/preprocess/imageFit";
import { type Preprocess, preset, presets } from "#data/preprocess/preprocess";
import { readPreprocess } from "#data/preprocess/readPreprocess";
import type { ModelInput } from "#data/types";
import type { Dim } from "#model/model";
import type { ElementType } from "#model/tensor";

const input = (dims: readonly Dim[] | undefined, type: ElementType = "float32"): ModelInput => ({
  name: "x",
  type,
  dims,
});
/** A picture in which every pixel tells its place: red = column, green = row, blue = 7. */
const map = (width: number, height: number): Pixels =>
  pixels(
    width,
    height,
    3,
    Uint8Array.from(
      { length: width * height * 3 },
      (_, i) => [Math.trunc(i / 3) % width, Math.trunc(i / 3 / width), 7][i % 3],
    ),
  );
const size = ({ width, height }: Pixels): [number, number] => [height, width];

describe("cutting and resizing", () => {
  const square = { height: 224, width: 224 };

  test.each<[string, Pixels, keyof typeof presets, { height: number; width: number } | undefined, [number, number]]>([
    ["imagenet-torch gives the model's size", map(100, 75), "imagenet-torch", square, [224, 224]],
    ["imagenet-tf gives the model's size", map(100, 75), "imagenet-tf", { height: 96, width: 128 }, [96, 128]],
    ["unit covers a wide input", map(40, 30), "unit", { height: 20, width: 60 }, [20, 60]],
    ["unit leaves an image alone when the model takes any size", map(40, 30), "unit", undefined, [30, 40]],
  ])("%s", (_, image, name, to, want) => {
    expect(size(reshape(image, presets[name].geometry, to))).toEqual(want);
  });

  test("the long side follows the short one, rounded down, and the crop is torchvision's", () => {
    // torchvision.transforms: Resize(8) of 13 × 9 gives 11 × 8; CenterCrop(8) starts at column round(3 / 2) = 2
    const geometry = { resize: { to: "short", pixels: 8 }, filter: "nearest" } as const;
    const resized = reshape(map(13, 9), geometry, undefined);
    expect(size(resized)).toEqual([8, 11]);
    const cropped = reshape(map(13, 9), { ...geometry, crop: { height: 8, width: 8 } }, undefined);
    expect([...cropped.data.subarray(0, 3)]).toEqual([...resized.data.subarray(6, 9)]);
  });

  test("a crop from the middle starts where torchvision's starts", () => {
    const cut = (width: number, side: number): number =>
      reshape(
        map(width, side),
        { resize: { to: "none" }, crop: { height: side, width: side }, filter: "box" },
        undefined,
      ).data[0];
    // round((w − c) / 2) with Python's rounding: 0.5 → 0, 1.5 → 2, 2.5 → 2
    expect([cut(5, 4), cut(7, 4), cut(9, 4), cut(8, 4)]).toEqual([0, 2, 2, 2]);
  });

  test("a crop larger than the image is padded with black", () => {
    const out = reshape(map(2, 2), { resize: { to: "none" }, crop: { height: 4, width: 4 }, filter: "box" }, undefined);
    expect(size(out)).toEqual([4, 4]);
    expect([...out.data.subarray(0, 3)]).toEqual([0, 0, 0]);
    expect([...out.data.subarray((4 + 1) * 3, (4 + 1) * 3 + 3)]).toEqual([0, 0, 7]);
  });

  test("87.5 % of each side is kept around the centre before imagenet-tf resizes", () => {
    const out = reshape(map(16, 8), { keep: 0.875, resize: { to: "none" }, filter: "box" }, undefined);
    expect(size(out)).toEqual([7, 14]);
    expect([...out.data.subarray(0, 2)]).toEqual([1, 0]);
  });

  test("an image of one pixel, and one as long as a rope, have an answer", () => {
    expect(size(reshape(map(1, 1), presets["imagenet-torch"].geometry, square))).toEqual([224, 224]);
    expect(size(reshape(map(3000, 1), presets["imagenet-tf"].geometry, square))).toEqual([224, 224]);
  });

  test("proportions that would take gigabytes are refused", () => {
    const rope = pixels(1, 4_000_000, 1, new Uint8Array(4_000_000));
    expect(() => reshape(rope, presets["imagenet-tf"].geometry, square)).toThrow(
      expect.objectContaining({ code: "data/shape" }),
    );
  });
});

describe("values", () => {
  const gray = (x: number): Pixels => pixels(1, 1, 3, Uint8Array.of(x, x, x));
  const value = (preprocess: Preprocess, x: number, type: ElementType = "float32"): number[] =>
    Array.from(fitImages(preprocess, input([1, 3, 1, 1], type)).apply(gray(x), "x", true).data as Float32Array);

  test("each preset has the range its name says", () => {
    expect(value(preset("unit"), 255)).toEqual([1, 1, 1]);
    expect(value(preset("raw"), 200)).toEqual([200, 200, 200]);
    expect(value(preset("imagenet-tf"), 0)).toEqual([-1, -1, -1]);
    expect(value(preset("imagenet-tf"), 255)).toEqual([1, 1, 1]);
    // torchvision: Normalize(mean, std)(ToTensor()(255)), float32
    expect(value(preset("imagenet-torch"), 255)).toEqual([2.2489082813262939, 2.4285714626312256, 2.6400001049041748]);
    expect(value(preset("cifar"), 0)).toEqual([-2.1179039478302, -2.0357143878936768, -1.804444432258606]);
    expect(value(preset("caffe255"), 255)).toEqual(
      [(255 - 123.68) / 255, (255 - 116.78) / 255, (255 - 103.94) / 255].map(Math.fround),
    );
  });

  test("float16 models get float16", () => {
    expect(value(preset("unit"), 255, "float16")).toEqual([0x3c00, 0x3c00, 0x3c00]);
  });

  test("models of bytes get bytes, and the report says that nothing was scaled", () => {
    const fit = fitImages(preset("imagenet-torch"), input([1, 3, 1, 1], "uint8"));
    expect(fit.apply(gray(99), "x", true).data).toEqual(Uint8Array.of(99, 99, 99));
    expect(fit.diagnostics.map(({ message }) => message).join()).toMatch(
      /without scale, mean and std of imagenet-torch/,
    );
  });
});

describe("axes", () => {
  const image = pixels(2, 1, 3, Uint8Array.of(1, 2, 3, 4, 5, 6));
  const fed = (preprocess: Preprocess, dims: readonly Dim[] | undefined) =>
    fitImages(preprocess, input(dims)).apply(image, "x", true);

  test.each<[string, readonly Dim[] | undefined, number[], number[]]>([
    ["channels first", ["N", 3, 1, 2], [1, 3, 1, 2], [1, 4, 2, 5, 3, 6]],
    ["channels last", ["N", 1, 2, 3], [1, 1, 2, 3], [1, 2, 3, 4, 5, 6]],
    ["without a batch axis", [3, 1, 2], [3, 1, 2], [1, 4, 2, 5, 3, 6]],
    ["nothing known", undefined, [1, 3, 1, 2], [1, 4, 2, 5, 3, 6]],
    ["sizes open", ["N", 3, "h", "w"], [1, 3, 1, 2], [1, 4, 2, 5, 3, 6]],
  ])("%s", (_, dims, shape, values) => {
    const raw = { ...preset("raw"), ...(dims?.at(-1) === 3 && { layout: "NHWC" as const }) };
    const out = fed(raw, dims);
    expect([out.dims, [...(out.data as Float32Array)]]).toEqual([shape, values]);
  });

  test("are found in the input's dims, and told", () => {
    const layout = (dims: readonly Dim[]): string => fitImages(preset("raw"), input(dims)).diagnostics[0].message;
    expect(layout(["N", 3, 224, 224])).toMatch(/NCHW$/);
    expect(layout(["N", 224, 224, 3])).toMatch(/NHWC$/);
    expect(layout([1, 1, 28, 28])).toMatch(/NCHW$/);
    expect(layout([1, 28, 28, 1])).toMatch(/NHWC$/);
  });

  test("BGR turns the channels around, mean and std staying in the tensor's order", () => {
    expect([...(fed({ ...preset("raw"), channels: "BGR" }, [1, 3, 1, 2]).data as Float32Array)]).toEqual([
      3, 6, 2, 5, 1, 4,
    ]);
    const shifted = fed({ ...preset("raw"), channels: "BGR", mean: [3, 2, 1] }, [1, 3, 1, 2]);
    expect([...(shifted.data as Float32Array)]).toEqual([0, 3, 0, 3, 0, 3]);
  });

  test("a model of one channel gets luma; a gray image feeds three", () => {
    expect(fed(preset("raw"), [1, 1, 1, 2]).data).toEqual(Float32Array.of(2, 5));
    const gray = pixels(2, 1, 1, Uint8Array.of(8, 9));
    expect(fitImages(preset("raw"), input([1, 3, 1, 2])).apply(gray, "x", true).data).toEqual(
      Float32Array.of(8, 9, 8, 9, 8, 9),
    );
  });

  test("a model of flat vectors gets square images, flattened", () => {
    const square = pixels(2, 2, 1, Uint8Array.of(1, 2, 3, 4));
    const out = fitImages(preset("raw"), input(["N", 4])).apply(square, "x", true);
    expect([out.dims, out.data]).toEqual([[1, 4], Float32Array.of(1, 2, 3, 4)]);
  });

  test.each<[string, readonly Dim[], ElementType, Preprocess]>([
    ["four channels", ["N", 4, 8, 8], "float32", preset("raw")],
    ["a batch of two", [2, 3, 8, 8], "float32", preset("raw")],
    ["one side only", ["N", 3, 8, "w"], "float32", preset("raw")],
    ["five axes", ["N", 3, 8, 8, 8], "float32", preset("raw")],
    ["a vector that is no square", ["N", 13], "float32", preset("raw")],
    ["token ids", ["N", 3, 8, 8], "int64", preset("raw")],
    ["one channel, with three means", ["N", 1, 8, 8], "float32", preset("imagenet-torch")],
    ["three channels, gray wanted", ["N", 3, 8, 8], "float32", { ...preset("raw"), channels: "gray" }],
  ])("%s: refused", (_, dims, type, preprocess) => {
    expect(() => fitImages(preprocess, input(dims, type))).toThrow(expect.objectContaining({ code: "data/shape" }));
  });

  test("a model that takes any size gets 224 × 224 from ImageNet's presets, and the photo's own size from unit", () => {
    const open = input(["N", 3, "h", "w"]);
    expect(fitImages(preset("imagenet-torch"), open).apply(map(30, 40), "x", false).dims).toEqual([1, 3, 224, 224]);
    expect(
      fitImages(preset("imagenet-torch"), open)
        .diagnostics.map(({ message }) => message)
        .join(),
    ).toMatch(/any size: fed 224 × 224/);
    expect(fitImages(preset("unit"), open).apply(map(30, 40), "x", false).dims).toEqual([1, 3, 40, 30]);
  });

  test("a crop that is not the model's size is refused with both sizes", () => {
    const wrong = readPreprocess({ resize: 16, crop: 12 }, "mine.json");
    expect(() => fitImages(wrong, input([1, 3, 8, 8])).apply(map(20, 20), "a.png", false)).toThrow(
      expect.objectContaining({
        code: "data/shape",
        message: expect.stringMatching(/\[12, 12\].*\[1, 3, 8, 8\]/),
        hint: expect.stringContaining("[8, 8]"),
      }),
    );
  });

  test("an array that has the model's size is not cut again; a photo is", () => {
    const fit = fitImages(preset("imagenet-torch"), input([1, 3, 14, 14]));
    const picture = map(14, 14);
    const ready = fit.apply(picture, "x", true).data as Float32Array;
    expect(ready[0]).toBeCloseTo(-2.117904, 5);
    expect(ready).not.toEqual(fit.apply(picture, "x", false).data);
  });
});

describe("preprocessing from JSON", () => {
  test("has DESIGN's keys, and sizes are height then width", () => {
    expect(
      readPreprocess(
        { resize: 256, crop: 224, scale: 2, mean: [1, 2, 3], std: 4, layout: "NHWC", channels: "BGR" },
        "a.json",
      ),
    ).toEqual({
      name: "a.json",
      geometry: { resize: { to: "short", pixels: 256 }, crop: { height: 224, width: 224 }, filter: "bilinear" },
      scale: 2,
      mean: [1, 2, 3],
      std: [4],
      layout: "NHWC",
      channels: "BGR",
    });
    expect(readPreprocess({ resize: [10, 20], resample: "lanczos" }, "a").geometry).toEqual({
      resize: { to: "size", size: { height: 10, width: 20 } },
      filter: "lanczos",
    });
  });

  test("a crop up to 1 is a share taken before resizing", () => {
    expect(readPreprocess({ crop: 0.875 }, "a").geometry).toEqual({
      keep: 0.875,
      resize: { to: "input" },
      filter: "bilinear",
    });
    expect(readPreprocess({ crop: 0.5, resize: 64 }, "a").geometry).toEqual({
      keep: 0.5,
      resize: { to: "short", pixels: 64 },
      filter: "bilinear",
    });
  });

  test("the presets are what their JSON would be", () => {
    const values = ({ geometry, scale, mean, std }: Preprocess) => ({ geometry, scale, mean, std });
    expect(values(readPreprocess({ crop: 0.875, scale: 1 / 127.5, mean: 1 }, "a"))).toEqual(
      values(preset("imagenet-tf")),
    );
    expect(values(readPreprocess({ scale: 1 / 255 }, "a"))).toEqual(values(preset("unit")));
  });

  test.each<[string, unknown, RegExp]>([
    ["an unknown key", { resize: 256, size: 3 }, /size/],
    ["a crop of zero", { crop: 0 }, /crop/],
    ["a fraction of a pixel", { resize: 1.5 }, /resize/],
    ["a size that would fill the disk", { resize: 1e9 }, /resize/],
    ["a std of zero", { std: [1, 0, 1] }, /std is 0/],
    ["means and stds of different channels", { mean: [1, 2, 3], std: [1, 2] }, /3 means and 2 stds/],
    ["no object", [1], /a\.json/],
    ["a layout nobody has", { layout: "CHWN" }, /layout/],
  ])("%s is refused by name", (_, value, message) => {
    expect(() => readPreprocess(value, "a.json")).toThrow(
      expect.objectContaining({ code: "usage/argument", message: expect.stringMatching(message) }),
    );
  });

  test("an unknown preset is answered with the known ones", () => {
    expect(() => preset("imagenet")).toThrow(
      expect.objectContaining({ code: "usage/argument", hint: expect.stringContaining("imagenet-torch, imagenet-tf") }),
    );
    expect(() => preset("constructor")).toThrow(/no preprocessing called constructor/);
  });
});
