import type { ChannelTap, ObservedValue } from "#methods/calibrate/tapGraph";
import { sizeOf } from "#model/tensor";

/** What one tapped graph observes. */
export interface Batch {
  readonly values: readonly ObservedValue[];
  readonly channels: readonly ChannelTap[];
}

/** Float32 numbers that a tapped graph may keep alive: runtimes may reduce the first value only after the last is computed. */
const mostNumbers = 2 ** 26;

/** Values that a tapped graph may hold: the time that ONNX Runtime takes to load one grows with their square (1,600: a minute). */
const mostValues = 200;

/**
 * Divides what is to be observed among as few graphs as keep memory and load time small: nearly always one. The means per channel of a
 * value are taken where its range is.
 */
export function batchesOf(values: readonly ObservedValue[], channels: readonly ChannelTap[]): Batch[] {
  const channelsOf = new Map(channels.map((tap) => [tap.tensor, tap]));
  const ranged = new Set(values.map(({ tensor }) => tensor));
  const all = [...values, ...channels.filter(({ tensor }) => !ranged.has(tensor))];
  const batches: { values: ObservedValue[]; channels: ChannelTap[] }[] = [];
  let [numbers, count] = [Number.POSITIVE_INFINITY, 0];
  for (const value of all) {
    const size = "dims" in value && value.dims !== undefined ? sizeOf(value.dims) : 0;
    if (numbers + size > mostNumbers || count >= mostValues) {
      batches.push({ values: [], channels: [] });
      [numbers, count] = [0, 0];
    }
    const batch = batches[batches.length - 1];
    if (ranged.has(value.tensor)) batch.values.push(value);
    const tap = channelsOf.get(value.tensor);
    if (tap !== undefined) batch.channels.push(tap);
    numbers += size;
    count++;
  }
  return batches;
}
