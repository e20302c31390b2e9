/** From pixels to the tensor that an input of a model takes. */
import { type Diagnostic, LowbitError } from "#base/errors";
import { type Pixels, toGray, toRgb } from "#data/images/pixels";
import { describe, isFree, show } from "#data/matchInput";
import { reshape } from "#data/preprocess/geometry";
import type { Preprocess, Size } from "#data/preprocess/preprocess";
import type { ModelInput } from "#data/types";
import type { Dim } from "#model/model";
import { allocate, fromNumbers, type Tensor, type TypedArray } from "#model/tensor";

/** How images become feeds of one input. */
export interface ImageFit {
  /** @param ready the image was cut to size by whoever made the file: if it has the model's size, no more cutting. */
  readonly apply: (image: Pixels, name: string, ready: boolean) => Tensor;
  readonly diagnostics: readonly Diagnostic[];
}

/** Where the axes of an image lie in an input; height and width undefined where the model takes any. */
interface Axes {
  readonly layout: "NCHW" | "NHWC";
  readonly channels: 1 | 3;
  readonly size: Size | undefined;
  /** [1, 784] in place of [1, 1, 28, 28]. */
  readonly flat?: number;
  /** Whether there is a batch axis. */
  readonly batched: boolean;
}

/**
 * Plans how images are fed to an input. What the input leaves open is guessed, and the guess is in `diagnostics`.
 * Throws `data/shape` where the input takes no images, or not in this preprocessing's size, channels or type.
 */
export function fitImages(preprocess: Preprocess, input: ModelInput): ImageFit {
  const diagnostics: Diagnostic[] = [];
  const axes = findAxes(preprocess, input, diagnostics);
  const order = channelOrder(preprocess, axes);
  const values = valueTables(preprocess, input, order, diagnostics);
  const target = axes.size ?? preprocess.usualSize;
  if (axes.size === undefined && target !== undefined)
    guess(diagnostics, `${input.name} takes images of any size: fed ${target.height} × ${target.width}`);
  const apply = (image: Pixels, name: string, ready: boolean): Tensor => {
    const colored = axes.channels === 1 ? toGray(image) : toRgb(image);
    const { size } = axes;
    const sized = ready && size !== undefined && image.width === size.width && image.height === size.height;
    const cut = sized ? colored : reshape(colored, preprocess.geometry, target);
    if (size !== undefined && (cut.width !== size.width || cut.height !== size.height))
      throw new LowbitError(
        "data/shape",
        `${name} becomes ${show([cut.height, cut.width])} pixels (height, width) by ${preprocess.name}; ${describe(input)}`,
        {
          at: { file: name, tensor: input.name },
          hint: `give the preprocessing "crop": ${show([size.height, size.width])}`,
        },
      );
    return arrange(cut, axes, order, values, input);
  };
  return { apply, diagnostics };
}

function findAxes(preprocess: Preprocess, input: ModelInput, diagnostics: Diagnostic[]): Axes {
  const dims = input.dims ?? ["N", "C", "H", "W"];
  const refuse = (hint: string): LowbitError =>
    new LowbitError("data/shape", `images do not fit: ${describe(input)}`, { at: { tensor: input.name }, hint });
  const gray = preprocess.channels === "gray";
  if (dims.length === 2 && !isFree(dims[1])) {
    const flat = dims[1] as number;
    const channels = flat % 3 === 0 && Number.isInteger(Math.sqrt(flat / 3)) && !gray ? 3 : 1;
    const side = Math.sqrt(flat / channels);
    if (!Number.isInteger(side)) throw refuse("images are fed as [N, C, H, W], [N, H, W, C] or flat squares");
    guess(
      diagnostics,
      `${input.name} takes ${flat} numbers: fed as flat ${side} × ${side} images of ${channels} channels`,
    );
    return { layout: preprocess.layout ?? "NCHW", channels, size: { height: side, width: side }, flat, batched: true };
  }
  if (dims.length !== 3 && dims.length !== 4) throw refuse("images are fed as [N, C, H, W] or [N, H, W, C]");
  const batched = dims.length === 4;
  if (batched && !isFree(dims[0]) && dims[0] !== 1)
    throw refuse(`the model takes ${String(dims[0])} samples at once; export it with a batch size of 1 or a free one`);
  const image = dims.slice(-3);
  const layout = preprocess.layout ?? guessLayout(image, input, diagnostics);
  const [channelDim, heightDim, widthDim] = layout === "NCHW" ? image : [image[2], image[0], image[1]];
  const channels = isFree(channelDim) ? (gray ? 1 : 3) : (channelDim as number);
  if (channels !== 1 && channels !== 3) throw refuse(`an image has 1 or 3 channels, not ${channels}`);
  if (isFree(channelDim)) guess(diagnostics, `${input.name} leaves its channels open: fed ${channels}`);
  if (isFree(heightDim) !== isFree(widthDim)) throw refuse("it fixes one side only; fix the other");
  const size = isFree(heightDim) ? undefined : { height: heightDim as number, width: widthDim as number };
  return { layout, channels, size, batched };
}

function guessLayout(image: readonly Dim[], input: ModelInput, diagnostics: Diagnostic[]): "NCHW" | "NHWC" {
  const isChannels = (dim: Dim): boolean => dim === 1 || dim === 3;
  const layout = !isChannels(image[0]) && isChannels(image[2]) ? "NHWC" : "NCHW";
  guess(diagnostics, `${input.name} ${show(input.dims ?? [])} is taken as ${layout}`);
  return layout;
}

/** Which channel of the pixels goes first, second, third. */
function channelOrder(preprocess: Preprocess, axes: Axes): readonly number[] {
  if (axes.channels === 1) return [0];
  if (preprocess.channels === "gray")
    throw new LowbitError("data/shape", `${preprocess.name} gives one gray channel; the model takes 3`, {
      hint: 'leave out "channels": gray images are fed to all three',
    });
  return preprocess.channels === "BGR" ? [2, 1, 0] : [0, 1, 2];
}

/** The 256 values a byte can become, per channel of the tensor: (x · scale − mean) / std, rounded once to the input's type. */
function valueTables(
  preprocess: Preprocess,
  input: ModelInput,
  order: readonly number[],
  diagnostics: Diagnostic[],
): readonly TypedArray[] {
  const { scale, mean, std, name } = preprocess;
  const bytes = Float64Array.from({ length: 256 }, (_, x) => x);
  if (input.type === "uint8") {
    if (scale !== 1 || mean.some((value) => value !== 0) || std.some((value) => value !== 1))
      guess(diagnostics, `${input.name} takes bytes: they are fed as they are, without scale, mean and std of ${name}`);
    return order.map(() => Uint8Array.from(bytes));
  }
  if (!["float32", "float16", "bfloat16", "float64"].includes(input.type))
    throw new LowbitError("data/shape", `images become float or uint8 tensors; ${describe(input)}`, {
      at: { tensor: input.name },
      hint: `give the data as .npy of ${input.type}`,
    });
  const wide = Math.max(mean.length, std.length);
  if (wide > 1 && wide !== order.length)
    throw new LowbitError("data/shape", `${name} has mean and std for ${wide} channels; ${describe(input)}`, {
      at: { tensor: input.name },
      hint: order.length === 1 ? 'for gray images take "unit", or one mean and one std' : "give one for each channel",
    });
  // mean and std are listed in the order of the tensor's channels, as in Hugging Face's and torchvision's lists
  return order.map((_, c) => {
    const m = mean[mean.length === 1 ? 0 : c];
    const s = std[std.length === 1 ? 0 : c];
    return fromNumbers(
      input.type,
      [256],
      bytes.map((x) => (x * scale - m) / s),
    ).data as TypedArray;
  });
}

function arrange(
  image: Pixels,
  axes: Axes,
  order: readonly number[],
  values: readonly TypedArray[],
  input: ModelInput,
): Tensor {
  const { width, height, channels, data } = image;
  const area = width * height;
  // every table has the array type that the input's element type names, so plain numbers go in and out
  const out = allocate(input.type, data.length) as Float32Array;
  for (const [c, from] of order.entries()) {
    const table = values[c] as Float32Array;
    if (axes.layout === "NCHW")
      for (let i = 0, at = from; i < area; i++, at += channels) out[c * area + i] = table[data[at]];
    else for (let at = 0; at < data.length; at += channels) out[at + c] = table[data[at + from]];
  }
  const dims = axes.layout === "NCHW" ? [channels, height, width] : [height, width, channels];
  if (axes.flat !== undefined) return { type: input.type, dims: [1, axes.flat], data: out };
  return { type: input.type, dims: axes.batched ? [1, ...dims] : dims, data: out };
}

function guess(diagnostics: Diagnostic[], message: string): void {
  diagnostics.push({ code: "data/guess", level: "info", message });
}
