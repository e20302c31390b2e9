import { sizeOf } from "#model/tensor";
import type { ConstantGroup } from "#report/constantGroups";
import { channelAxis, parametersOf } from "#report/graph/learned";
import type { LedgerRow } from "#report/types";

/** Weights of fewer elements stay as they are whatever the rest becomes. */
const smallestWeight = 1024;

/** Bytes of a weight with this many elements and output channels. */
const formats: Readonly<Record<string, (elements: number, channels: number) => number>> = {
  float16: (elements) => 2 * elements,
  "int8/channel": (elements, channels) => elements + 4 * channels,
  "uint4/group:32": (elements) => Math.ceil(elements / 2) + Math.ceil(elements / 32) * 4.5,
};

/** Bytes that a file would have with its large weights in other formats: computed, nothing is written. */
export function wouldWeigh(
  rows: readonly LedgerRow[],
  groups: readonly ConstantGroup[],
  fileBytes: number,
): { readonly scheme: string; readonly bytes: number }[] {
  const stored = new Map(rows.map((row) => [row.tensor, row.bytes]));
  const large = groups.filter((group) => group.stored.shape.length >= 2 && parametersOf(group) >= smallestWeight);
  return Object.entries(formats).map(([scheme, bytesOf]) => {
    const saved = large.reduce((sum, group) => {
      const { shape } = group.stored;
      const now = stored.get(group.name) ?? 0;
      // a format that is larger than what is there is not taken
      return sum + Math.max(0, now - Math.ceil(bytesOf(sizeOf(shape), shape[channelAxis(group) ?? 0] ?? 1)));
    }, 0);
    return { scheme, bytes: fileBytes - saved };
  });
}
