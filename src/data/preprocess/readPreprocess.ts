/** Preprocessing from JSON: our own form, or Hugging Face's `preprocessor_config.json`. */
import * as v from "valibot";
import { LowbitError, type Place } from "#base/errors";
import { isHuggingFace, readHuggingFace } from "#data/preprocess/huggingFace";
import { checkPreprocess, type Geometry, type Preprocess, type Resize, type Size } from "#data/preprocess/preprocess";
import { filters } from "#data/preprocess/resize";

const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_536));
/** [height, width], as tensors are written. */
const sides = v.tuple([side, side]);
const share = v.pipe(v.number(), v.gtValue(0), v.maxValue(1));
const channel = v.pipe(v.number(), v.finite());
const perChannel = v.union([channel, v.pipe(v.array(channel), v.minLength(1), v.maxLength(3))]);

const schema = v.strictObject({
  resize: v.optional(v.union([side, sides])),
  crop: v.optional(v.union([share, side, sides])),
  resample: v.optional(v.picklist(filters)),
  scale: v.optional(channel),
  mean: v.optional(perChannel),
  std: v.optional(perChannel),
  layout: v.optional(v.picklist(["NCHW", "NHWC"])),
  channels: v.optional(v.picklist(["RGB", "BGR", "gray"])),
});

/**
 * A preprocessing from a JSON value. Ours is `{resize, crop, resample, scale, mean, std, layout, channels}`, all optional:
 * `resize` = short side in pixels or [height, width]; `crop` = centre crop in pixels, [height, width], or a fraction ≤ 1 of each
 * side taken before resizing; then x·scale, −mean, ÷std. Without `resize` the image is brought to the model's size.
 * Throws `usage/argument` that names the key.
 */
export function readPreprocess(value: unknown, name: string): Preprocess {
  const at: Place = { file: name };
  if (isHuggingFace(value)) return readHuggingFace(value, name);
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    const key = v.getDotPath(issue) ?? "";
    throw new LowbitError("usage/argument", `${name}${key === "" ? "" : `: ${key}`}: ${issue.message}`, {
      at,
      hint: `the keys are ${Object.keys(schema.entries).join(", ")}`,
    });
  }
  const { resize, crop, resample = "bilinear", scale = 1, mean = 0, std = 1, layout, channels } = parsed.output;
  return checkPreprocess(
    {
      name,
      geometry: { ...geometryOf(resize, crop), filter: resample },
      scale,
      mean: [mean].flat(),
      std: [std].flat(),
      ...(layout && { layout }),
      ...(channels && { channels }),
    },
    at,
  );
}

type Sides = number | readonly [number, number] | undefined;

function geometryOf(resize: Sides, crop: Sides): Omit<Geometry, "filter"> {
  const how: Resize =
    resize === undefined
      ? crop === undefined
        ? { to: "cover", zoom: 1 }
        : { to: typeof crop === "number" && crop <= 1 ? "input" : "none" }
      : typeof resize === "number"
        ? { to: "short", pixels: resize }
        : { to: "size", size: sizeOf(resize) };
  if (typeof crop === "number" && crop <= 1) return { keep: crop, resize: how };
  if (crop !== undefined) return { resize: how, crop: sizeOf(crop) };
  return how.to === "cover" ? { resize: how, crop: "input" } : { resize: how };
}

function sizeOf(sides: number | readonly [number, number]): Size {
  return typeof sides === "number" ? { height: sides, width: sides } : { height: sides[0], width: sides[1] };
}
