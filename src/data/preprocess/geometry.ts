import { type Box, crop, type Pixels } from "#data/images/pixels";
import type { Geometry, Size } from "#data/preprocess/preprocess";
import { resize } from "#data/preprocess/resize";
import { roundHalfEven } from "#math/round";

/**
 * Cuts and resizes an image. `input` is the size the model's input states, where it does; only what the last crop keeps is computed.
 *
 * The arithmetic is torchvision's: the long side is ⌊short · long/short⌋, a crop starts at (size − crop)/2 rounded half to even, and
 * what lies beyond the image is black.
 */
export function reshape(image: Pixels, geometry: Geometry, input: Size | undefined): Pixels {
  const { keep = 1, filter } = geometry;
  const kept = keep === 1 ? image : crop(image, centre(image, share(image, keep)));
  const target = resizedSize(kept, geometry, input);
  const cut = geometry.crop === "input" ? input : geometry.crop;
  const box = cut === undefined ? { left: 0, top: 0, ...target } : centre(target, cut);
  if (target.width === kept.width && target.height === kept.height) return crop(kept, box);
  const visible = intersect(box, target);
  const resized = resize(kept, target.width, target.height, filter, visible);
  return crop(resized, { ...box, left: box.left - visible.left, top: box.top - visible.top });
}

function resizedSize(image: Size, geometry: Geometry, input: Size | undefined): Size {
  const { resize: how } = geometry;
  switch (how.to) {
    case "none":
      return image;
    case "short":
      return shortSide(image, how.pixels);
    case "size":
      return how.size;
    case "input":
      return input ?? image;
    case "cover":
      return input === undefined ? image : cover(image, input, how.zoom);
  }
}

function shortSide({ width, height }: Size, pixels: number): Size {
  if (width <= height) return { width: pixels, height: Math.max(Math.trunc((pixels * height) / width), 1) };
  return { width: Math.max(Math.trunc((pixels * width) / height), 1), height: pixels };
}

function cover(image: Size, input: Size, zoom: number): Size {
  if (input.width === input.height) return shortSide(image, roundHalfEven(input.width * zoom));
  const scale = Math.max(input.width / image.width, input.height / image.height) * zoom;
  const side = (size: number, least: number): number => Math.max(roundHalfEven(size * scale), least);
  return { width: side(image.width, input.width), height: side(image.height, input.height) };
}

function share({ width, height }: Size, keep: number): Size {
  return { width: Math.max(roundHalfEven(width * keep), 1), height: Math.max(roundHalfEven(height * keep), 1) };
}

function centre(image: Size, cut: Size): Box {
  return {
    left: roundHalfEven((image.width - cut.width) / 2),
    top: roundHalfEven((image.height - cut.height) / 2),
    width: cut.width,
    height: cut.height,
  };
}

function intersect(box: Box, image: Size): Box {
  const left = Math.max(box.left, 0);
  const top = Math.max(box.top, 0);
  return {
    left,
    top,
    width: Math.min(box.left + box.width, image.width) - left,
    height: Math.min(box.top + box.height, image.height) - top,
  };
}
