/**
 * How an image becomes numbers: cut and resize (on 8-bit pixels, `#data/preprocess/geometry`), then (x · scale − mean) / std per
 * channel, then the axes in the model's order. Getting this wrong costs more accuracy than any quantization, so it is one
 * plain record that reports can show.
 */
import { LowbitError, type Place } from "#base/errors";
import type { Filter } from "#data/preprocess/resize";

export interface Preprocess {
  /** What reports call it: a preset, or the file it was read from. */
  readonly name: string;
  readonly geometry: Geometry;
  /** What "input" means for a model that takes images of any size. Default: the image as it is. */
  readonly usualSize?: Size;
  /** Multiplies the byte values 0–255. */
  readonly scale: number;
  /** One per channel, or one for all; after scaling. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Order of the channels in the tensor. Default: as the model's input has 3 or 1. */
  readonly channels?: "RGB" | "BGR" | "gray";
  /** Order of the axes. Default: found from the model's input. */
  readonly layout?: "NCHW" | "NHWC";
}

/** Cut, resize, cut again. Sizes in pixels; "input" is the size that the model's input states. */
export interface Geometry {
  /** Share of each side that is kept around the centre before resizing. Default 1. */
  readonly keep?: number;
  readonly resize: Resize;
  /** Centre crop after resizing. */
  readonly crop?: Size | "input";
  readonly filter: Filter;
}

export type Resize =
  | { readonly to: "none" }
  /** The short side to so many pixels, the long one in proportion. */
  | { readonly to: "short"; readonly pixels: number }
  | { readonly to: "size"; readonly size: Size }
  /** The model's size, in proportion no more. */
  | { readonly to: "input" }
  /** In proportion, until it covers the model's size times `zoom`. */
  | { readonly to: "cover"; readonly zoom: number };

export interface Size {
  readonly height: number;
  readonly width: number;
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
/** 256 for a 224 input, and the same margin for others. */
const torchvision: Geometry = { resize: { to: "cover", zoom: 256 / 224 }, crop: "input", filter: "bilinear" };
/** An image that has the model's size stays untouched; another is brought to it without distortion. */
const fitted: Geometry = { resize: { to: "cover", zoom: 1 }, crop: "input", filter: "bilinear" };
const plain = { mean: [0], std: [1] };
const usualSize: Size = { height: 224, width: 224 };

/** Named preprocessings. The name says which training recipe, or which range of values. */
export const presets = {
  /** torchvision's and timm's classifiers: short side 256, centre 224, (x/255 − mean) / std. */
  "imagenet-torch": { geometry: torchvision, usualSize, scale: 1 / 255, ...imagenet },
  /** TensorFlow's and Keras' MobileNets, Inceptions: centre 87.5 %, resized to the input, −1 … 1. */
  "imagenet-tf": {
    geometry: { keep: 0.875, resize: { to: "input" }, filter: "bilinear" },
    usualSize,
    scale: 1 / 127.5,
    mean: [1],
    std: [1],
  },
  /** Small images, with ImageNet's mean and std (Idelbayev's CIFAR-10 ResNets). */
  cifar: { geometry: fitted, scale: 1 / 255, ...imagenet },
  /** 0 … 1. */
  unit: { geometry: fitted, scale: 1 / 255, ...plain },
  /** 0 … 255. */
  raw: { geometry: fitted, scale: 1, ...plain },
  /** Caffe's mean pixel, then ÷ 255; cut as torchvision does. */
  caffe255: { geometry: torchvision, usualSize, scale: 1, mean: [123.68, 116.78, 103.94], std: [255] },
} as const satisfies Record<string, Omit<Preprocess, "name">>;

export type PresetName = keyof typeof presets;

/** A preset by name. Throws `usage/argument` with the names there are. */
export function preset(name: string): Preprocess {
  if (Object.hasOwn(presets, name)) return { name, ...presets[name as PresetName] };
  throw new LowbitError("usage/argument", `there is no preprocessing called ${name}`, {
    hint: `take one of ${Object.keys(presets).join(", ")}, or a JSON file: preprocessor_config.json or {"resize": 256, "crop": 224, …}`,
  });
}

/** Throws `usage/argument` for a std of 0 and for numbers of channels that contradict each other. */
export function checkPreprocess(preprocess: Preprocess, at: Place): Preprocess {
  const { mean, std } = preprocess;
  if (std.includes(0)) throw new LowbitError("usage/argument", `${preprocess.name}: std is 0 for a channel`, { at });
  if (mean.length !== std.length && mean.length !== 1 && std.length !== 1)
    throw new LowbitError("usage/argument", `${preprocess.name}: ${mean.length} means and ${std.length} stds`, { at });
  return preprocess;
}
