import { describe, expect, test } from "vitest";
import type { Geometry } from "#data/preprocess/preprocess";
import { readPreprocess } from "#data/preprocess/readPreprocess";

const half = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
const geometry = (config: object): Geometry => readPreprocess(config, "preprocessor_config.json").geometry;
const square = (side: number) => ({ height: side, width: side });

/** The keys of published files; what to expect was read from transformers 4.57's image processors. */
const published: readonly (readonly [string, object, Geometry])[] = [
  [
    "google/vit-base-patch16-224",
    {
      do_normalize: true,
      do_resize: true,
      ...half,
      resample: 2,
      size: 224,
      feature_extractor_type: "ViTFeatureExtractor",
    },
    { resize: { to: "size", size: square(224) }, filter: "bilinear" },
  ],
  [
    "openai/clip-vit-base-patch32",
    {
      crop_size: 224,
      do_center_crop: true,
      do_normalize: true,
      do_resize: true,
      feature_extractor_type: "CLIPFeatureExtractor",
      ...half,
      resample: 3,
      size: 224,
    },
    { resize: { to: "short", pixels: 224 }, crop: square(224), filter: "bicubic" },
  ],
  [
    "facebook/deit-base-patch16-224",
    {
      crop_size: 224,
      do_center_crop: true,
      do_normalize: true,
      do_resize: true,
      feature_extractor_type: "DeiTFeatureExtractor",
      ...half,
      resample: 3,
      size: 256,
    },
    { resize: { to: "size", size: square(256) }, crop: square(224), filter: "bicubic" },
  ],
  [
    "microsoft/resnet-50",
    {
      crop_pct: 0.875,
      do_normalize: true,
      do_resize: true,
      feature_extractor_type: "ConvNextFeatureExtractor",
      ...half,
      resample: 3,
      size: 224,
    },
    { resize: { to: "short", pixels: 256 }, crop: square(224), filter: "bicubic" },
  ],
  [
    "facebook/convnext-base-384",
    {
      crop_pct: 1.0,
      do_normalize: true,
      do_resize: true,
      image_processor_type: "ConvNextImageProcessor",
      ...half,
      resample: 3,
      size: { shortest_edge: 384 },
    },
    { resize: { to: "size", size: square(384) }, filter: "bicubic" },
  ],
  [
    "google/mobilenet_v2_1.0_224",
    {
      crop_size: square(224),
      do_center_crop: true,
      do_normalize: true,
      do_rescale: true,
      do_resize: true,
      ...half,
      image_processor_type: "MobileNetV2ImageProcessor",
      resample: 2,
      rescale_factor: 0.00392156862745098,
      size: { shortest_edge: 256 },
    },
    { resize: { to: "short", pixels: 256 }, crop: square(224), filter: "bilinear" },
  ],
  [
    "facebook/levit-128S",
    {
      do_center_crop: true,
      do_normalize: true,
      do_resize: true,
      feature_extractor_type: "LevitFeatureExtractor",
      ...half,
      resample: 3,
      size: 224,
    },
    { resize: { to: "short", pixels: 256 }, crop: square(224), filter: "bicubic" },
  ],
  [
    "a size that is no square",
    { do_resize: true, size: { height: 384, width: 128 }, resample: 1, ...half },
    { resize: { to: "size", size: { height: 384, width: 128 } }, filter: "lanczos" },
  ],
  ["no resizing", { do_resize: false, do_rescale: true, ...half }, { resize: { to: "none" }, filter: "bilinear" }],
];

describe("Hugging Face's preprocessor_config.json", () => {
  test.each(published)("%s", (_, config, want) => {
    expect(geometry(config)).toEqual(want);
  });

  test("scales by 1/255 and normalises, as far as it is told to", () => {
    const values = (config: object) => {
      const { scale, mean, std } = readPreprocess({ do_resize: true, size: 224, ...config }, "p");
      return { scale, mean, std };
    };
    expect(values({ do_normalize: true, ...half })).toEqual({
      scale: 1 / 255,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    });
    expect(values({ do_normalize: false, ...half })).toEqual({ scale: 1 / 255, mean: [0], std: [1] });
    expect(values({ do_rescale: false, do_normalize: false })).toEqual({ scale: 1, mean: [0], std: [1] });
    expect(values({ rescale_factor: 1 / 127.5, rescale_offset: true, do_normalize: false })).toEqual({
      scale: 1 / 127.5,
      mean: [1],
      std: [1],
    });
    // EfficientNet's classifiers divide by std twice
    expect(values({ include_top: true, ...half }).std).toEqual([0.25, 0.25, 0.25]);
  });

  test("MobileViT's channels are BGR", () => {
    const mobileVit = {
      do_flip_channel_order: true,
      do_resize: true,
      size: { shortest_edge: 288 },
      crop_size: square(256),
      do_center_crop: true,
    };
    expect(readPreprocess({ ...mobileVit, image_processor_type: "MobileViTImageProcessor" }, "p").channels).toBe("BGR");
  });

  test.each<[string, object, RegExp]>([
    ["padding", { do_resize: true, do_pad: true, size: 224 }, /do_pad/],
    ["a longest edge", { do_resize: true, size: { shortest_edge: 800, longest_edge: 1333 } }, /longest_edge/],
    ["a filter that Pillow does not have", { do_resize: true, size: 224, resample: 9 }, /resample/],
    ["a size of words", { do_resize: true, size: "big" }, /size is "big"/],
    ["a flag that is no flag", { do_resize: "yes" }, /do_resize/],
    ["means of words", { do_normalize: true, image_mean: ["a"] }, /image_mean/],
    ["a size that would fill the disk", { do_resize: true, size: { height: 1e9, width: 1e9 } }, /size/],
  ])("%s is refused rather than left out", (_, config, message) => {
    expect(() => readPreprocess(config, "p.json")).toThrow(
      expect.objectContaining({ code: "usage/argument", message: expect.stringMatching(message) }),
    );
  });
});
