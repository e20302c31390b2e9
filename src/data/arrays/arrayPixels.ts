import { type Pixels, pixels } from "#data/images/pixels";
import type { Rows } from "#data/rows";
import type { Tensor } from "#model/tensor";

/** Whether rows are images of bytes: uint8 [H, W], [H, W, C] or [C, H, W] with 1 or 3 channels. */
export function holdsImages({ type, dims }: Pick<Rows, "type" | "dims">): boolean {
  if (type !== "uint8" || dims.includes(0)) return false;
  return dims.length === 2 || (dims.length === 3 && (isChannels(dims[2]) || isChannels(dims[0])));
}

const isChannels = (dim: number): dim is 1 | 3 => dim === 1 || dim === 3;

/** A row that `holdsImages` as pixels; channels that come first are moved to the end. */
export function arrayPixels(row: Tensor): Pixels {
  const { dims } = row;
  const data = row.data as Uint8Array; // type uint8
  if (dims.length === 2) return pixels(dims[1], dims[0], 1, data);
  const [first, second, last] = dims;
  if (isChannels(last)) return pixels(second, first, last, data);
  const channels = first as 1 | 3; // holdsImages: one end or the other
  const area = second * last;
  const out = new Uint8Array(data.length);
  for (let c = 0; c < channels; c++) for (let i = 0; i < area; i++) out[i * channels + c] = data[c * area + i];
  return pixels(last, second, channels, out);
}
