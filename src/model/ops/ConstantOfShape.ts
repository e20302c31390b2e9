import { LowbitError } from "#base/errors";
import { tensorAttribute } from "#model/attributes";
import { isStatic } from "#model/ops/dims";
import {
  contentLimit,
  contentOf,
  inputOf,
  isInteger,
  integersOf,
  knownTensor,
  unknownDims,
  withContent,
} from "#model/ops/known";
import { operand, placeOf } from "#model/ops/operand";
import { allocateChecked } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { float32, sizeOf, toNumbers } from "#model/tensor";
import { loadedWeight } from "#model/weights";

/** A tensor of the given shape, filled with the one element of attribute `value` (default: float32 0). */
export const ConstantOfShape: Op = {
  domain: "",
  name: "ConstantOfShape",
  infer: (context) => {
    const ref = tensorAttribute(context.node, "value");
    const target = inputOf(context, 0);
    const rank = target.shape?.[0];
    const shape = contentOf(target) ?? (typeof rank === "number" ? unknownDims(rank) : undefined);
    const known = { element: ref?.element ?? "float32", shape } as const;
    const value = ref && loadedWeight(ref);
    if (value === undefined || !isInteger(value.type) || !isStatic(shape) || sizeOf(shape) > contentLimit)
      return [known];
    const [fill] = toNumbers(value);
    return [
      withContent(
        known,
        Array.from({ length: sizeOf(shape) }, () => fill),
      ),
    ];
  },
  forward: (context) => {
    const { node } = context;
    const dims = integersOf(knownTensor(operand(context, 0))) ?? [];
    if (dims.some((dim) => dim < 0))
      throw new LowbitError("model/shape", `ConstantOfShape of [${dims.join(", ")}]`, { at: placeOf(node) });
    const ref = tensorAttribute(node, "value");
    const fill = ref === undefined ? float32([1], [0]) : loadedWeight(ref);
    if (fill === undefined)
      throw new LowbitError("model/attribute", "the value of this ConstantOfShape is not in memory", {
        at: placeOf(node),
      });
    const out = allocateChecked(fill.type, dims) as Float64Array; // any kind of array fills the same way
    return [{ type: fill.type, dims, data: out.fill((fill.data as Float64Array)[0]) }];
  },
};
