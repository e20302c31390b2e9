/**
 * Hugging Face's `preprocessor_config.json`: ViT, CLIP, DeiT, BiT, ConvNeXT, MobileNet, EfficientNet, LeViT, MobileViT and what else
 * resizes, crops, rescales and normalises. Order of work in all of them: resize → centre crop → rescale → normalise.
 * Keys and defaults: transformers, models/<name>/image_processing_<name>.py; older files call the class a feature extractor.
 */
import { LowbitError, type Place } from "#base/errors";
import { isObject } from "#data/json";
import { checkPreprocess, type Geometry, type Preprocess, type Resize, type Size } from "#data/preprocess/preprocess";
import type { Filter } from "#data/preprocess/resize";

type Config = Readonly<Record<string, unknown>>;

/** PIL.Image.Resampling by number. */
const resampling: readonly Filter[] = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"];

/** Steps that change the picture and that we do not do; a config that asks for one is refused. */
const unknownSteps: readonly string[] = [
  "do_pad",
  "do_thumbnail",
  "do_align_long_axis",
  "do_image_splitting",
  "do_split_image",
  "do_color_quantize",
  "do_pan_and_scan",
  "do_grayscale",
  "do_crop_margin",
  "do_map_pixels",
  "do_affine_transform",
];

/** Processors whose plain number `size` means the short side; in all others it means a square. */
const shortSided = /CLIP|ConvNe|PoolFormer|Levit|MobileViT|MobileNet|^"Bit|VideoMAE|Vivit|Vilt|BridgeTower|Llava/i;

/** Whether a JSON value is such a config, by the keys that only they have. */
export function isHuggingFace(value: unknown): value is Config {
  return (
    isObject(value) &&
    ["image_processor_type", "feature_extractor_type", "do_resize", "do_normalize", "image_mean"].some(
      (key) => key in value,
    )
  );
}

/** The config as a preprocessing. Throws `usage/argument` for what cannot be done faithfully. */
export function readHuggingFace(config: Config, name: string): Preprocess {
  const at: Place = { file: name };
  const refuse = (what: string): LowbitError =>
    new LowbitError("usage/argument", `${name}: ${what}`, {
      at,
      hint: 'write what the model needs as {"resize", "crop", "scale", "mean", "std"}',
    });
  const flag = (key: string, fallback: boolean): boolean => {
    const value = config[key] ?? fallback;
    if (typeof value !== "boolean") throw refuse(`${key} is ${JSON.stringify(value)}, not true or false`);
    return value;
  };
  const number = (key: string, fallback: number): number => {
    const value = config[key] ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value))
      throw refuse(`${key} is ${JSON.stringify(value)}, not a number`);
    return value;
  };
  const perChannel = (key: string, fallback: number): number[] => {
    const values = [config[key] ?? fallback].flat() as unknown[];
    if (values.every((value) => typeof value === "number" && Number.isFinite(value))) return values as number[];
    throw refuse(`${key} is ${JSON.stringify(config[key])}, not numbers`);
  };
  const asked = unknownSteps.find((step) => config[step] === true);
  if (asked !== undefined) throw refuse(`it asks for ${asked}, which lowbit does not do`);

  const normalises = flag("do_normalize", config.image_mean !== undefined);
  const scale = flag("do_rescale", true) ? number("rescale_factor", 1 / 255) : 1;
  // EfficientNet subtracts 1 after scaling when told to, and for its classifiers divides by std twice
  const offset = flag("rescale_offset", false) ? 1 : 0;
  const power = flag("include_top", false) ? 2 : 1;
  return checkPreprocess(
    {
      name,
      geometry: geometryOf(config, flag, number, refuse),
      scale,
      mean: normalises ? perChannel("image_mean", 0.5).map((mean) => mean + offset) : [offset],
      std: normalises ? perChannel("image_std", 0.5).map((std) => std ** power) : [1],
      ...(flag("do_flip_channel_order", false) && { channels: "BGR" as const }),
    },
    at,
  );
}

function geometryOf(
  config: Config,
  flag: (key: string, fallback: boolean) => boolean,
  number: (key: string, fallback: number) => number,
  refuse: (what: string) => LowbitError,
): Geometry {
  const kind = JSON.stringify(config.image_processor_type ?? config.feature_extractor_type ?? "");
  const filter = resampling[number("resample", 2)];
  if (filter === undefined) throw refuse(`resample is ${String(config.resample)}; Pillow knows 0 to 5`);
  const crops = flag("do_center_crop", config.crop_size !== undefined);
  const crop = crops ? squareOr(config.crop_size ?? config.size, refuse, "crop_size") : undefined;
  if (!flag("do_resize", true)) return { resize: { to: "none" }, filter, ...(crop && { crop }) };

  const size = config.size ?? 224;
  const short = isObject(size) ? size.shortest_edge : shortSided.test(kind) ? size : undefined;
  if (isObject(size) && size.longest_edge !== undefined) throw refuse("size.longest_edge is not supported");
  if (short === undefined)
    return { resize: { to: "size", size: squareOr(size, refuse, "size") }, filter, ...(crop && { crop }) };

  const pixels = squareOr(short, refuse, "size.shortest_edge").width;
  if (config.crop_pct !== undefined && config.crop_pct !== null) {
    // ConvNeXT: below 384, short side size/crop_pct and then the centre; from 384 on the image is squeezed into the square
    const square = { height: pixels, width: pixels };
    if (pixels >= 384 && /ConvNe/.test(kind)) return { resize: { to: "size", size: square }, filter };
    const resize: Resize = { to: "short", pixels: Math.trunc(pixels / number("crop_pct", 1)) };
    return { resize, crop: crop ?? square, filter };
  }
  const margin = /^"Levit/i.test(kind) ? 256 / 224 : 1;
  return { resize: { to: "short", pixels: Math.trunc(margin * pixels) }, filter, ...(crop && { crop }) };
}

/** 224 → 224 × 224; {"height": 224, "width": 192}; {"shortest_edge": 224} → a square. */
function squareOr(value: unknown, refuse: (what: string) => LowbitError, key: string): Size {
  const { height, width } = isObject(value)
    ? { height: value.height ?? value.shortest_edge, width: value.width ?? value.shortest_edge }
    : { height: value, width: value };
  const isSide = (side: unknown): side is number =>
    typeof side === "number" && Number.isSafeInteger(side) && side >= 1 && side <= 65_536;
  if (isSide(height) && isSide(width)) return { height, width };
  throw refuse(`${key} is ${JSON.stringify(value)}, no size`);
}
