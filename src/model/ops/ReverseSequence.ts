import { axisAttribute, normalizeIndex } from "#model/ops/axes";
import { isStatic } from "#model/ops/dims";
import { integersOf } from "#model/ops/known";
import { movement, unplanned } from "#model/ops/move";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";

/** The first `sequence_lens[b]` time steps of every batch element b in reverse order; the rest stays. */
export const ReverseSequence = movement("ReverseSequence", ({ node, inputs: [, lengths], x: { shape } }) => {
  const counts = integersOf(lengths);
  if (!isStatic(shape) || counts === undefined) return { shape };
  const batch = axisAttribute(node, 1, shape.length, "batch_axis");
  const time = axisAttribute(node, 0, shape.length, "time_axis");
  if (counts.length !== shape[batch]) return unplanned;
  const strides = stridesOf(shape);
  const along = (axis: number) => offsetsOf(shape.map((dim, a) => ramp(dim, a === axis ? 1 : 0)));
  const offsets = () => {
    const [element, step] = [along(batch), along(time)];
    return step.map((t, i) => {
      const count = counts[element[i]];
      if (count > 0) normalizeIndex(node, count - 1, shape[time]);
      return i + (t < count ? count - 1 - 2 * t : 0) * strides[time];
    });
  };
  return { shape, offsets };
});
