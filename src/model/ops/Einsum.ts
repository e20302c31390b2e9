import { LowbitError } from "#base/errors";
import { stringAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { dimsOf, operand, placeOf } from "#model/ops/operand";
import { allocateChecked, offsetsOf, ramp, stridesOf } from "#model/ops/strides";
import type { Op } from "#model/ops/types";
import { fromNumbers, sizeOf, toNumbers } from "#model/tensor";

/**
 * Einstein summation: "bij,bjk->bik" multiplies what its letters align and sums over those the result does not name.
 * Sums are float64: 64-bit integers beyond 2⁵³ lose their low bits.
 */
export const Einsum: Op = {
  domain: "",
  name: "Einsum",
  infer: ({ node, inputs }) => {
    const shapes = inputs.map((input) => input?.shape);
    const element = inputs[0]?.element;
    if (!shapes.every((shape) => shape !== undefined)) return [{ element, shape: undefined }];
    const { result, sizes } = alignment(node, shapes);
    return [{ element, shape: result.map((label) => sizes.get(label) ?? null) }];
  },
  cost: (node, inputs) => {
    const { sizes } = alignment(node, inputs.map(dimsOf));
    return { macs: sizeOf([...sizes.values()] as number[]) * Math.max(inputs.length - 1, 1), flops: 0 };
  },
  forward: (context) => {
    const tensors = context.inputs.map((_, i) => operand(context, i));
    const { terms, result, sizes } = alignment(
      context.node,
      tensors.map(({ dims }) => dims),
    );
    const sizeOfLabel = (label: string): number => sizes.get(label) as number;
    const summed = [...sizes.keys()].filter((label) => !result.includes(label));
    const dims = result.map(sizeOfLabel);
    const y = allocateChecked("float64", dims) as Float64Array;
    const operands = tensors.map(({ dims: own }, i) => {
      const strides = stridesOf(own);
      // a repeated letter walks the diagonal; a size of 1 stays where it is
      const step = (label: string): number =>
        terms[i].reduce((sum, other, axis) => sum + (other === label && own[axis] !== 1 ? strides[axis] : 0), 0);
      const offsets = (labels: readonly string[]): Int32Array =>
        offsetsOf(labels.map((label) => ramp(sizeOfLabel(label), step(label))));
      return { values: toNumbers(tensors[i]), outer: offsets(result), inner: offsets(summed) };
    });
    const [first, ...rest] = operands;
    for (let o = 0; o < y.length; o++) {
      let sum = 0;
      for (let k = 0; k < first.inner.length; k++) {
        let product = first.values[first.outer[o] + first.inner[k]];
        for (const { values, outer, inner } of rest) product *= values[outer[o] + inner[k]];
        sum += product;
      }
      y[o] = sum;
    }
    return [fromNumbers(tensors[0].type, dims, y)];
  },
};

/**
 * One label per axis of every operand and of the result. The axes of an ellipsis are "0", "1" …, counted from its end.
 */
interface Alignment {
  readonly terms: readonly (readonly string[])[];
  readonly result: readonly string[];
  readonly sizes: ReadonlyMap<string, Dim>;
}

/** Throws model/attribute where the equation does not fit the operands. */
export function alignment(node: Node, shapes: readonly (readonly Dim[])[]): Alignment {
  const equation = stringAttribute(node, "equation", "").replaceAll(" ", "");
  const refuse = (why: string): LowbitError =>
    new LowbitError("model/attribute", `Einsum of "${equation}": ${why}`, { at: placeOf(node) });
  const [left, right] = equation.split("->");
  const parts = left.split(",");
  if (parts.length !== shapes.length) throw refuse(`${parts.length} terms for ${shapes.length} operands`);
  let widest = 0;
  const spread = (part: string, axes: number): string[] => {
    const [before, after] = part.split("...");
    const ellipsis = Array.from({ length: axes }, (_, axis) => String(axes - 1 - axis));
    return after === undefined ? before.split("") : [...before.split(""), ...ellipsis, ...after.split("")];
  };
  const terms = parts.map((part, i) => {
    const axes = shapes[i].length - part.replace("...", "").length;
    const labels = spread(part, axes);
    if (labels.length !== shapes[i].length) throw refuse(`"${part}" does not name ${shapes[i].length} axes`);
    if (part.includes("...")) widest = Math.max(widest, axes);
    return labels;
  });
  const sizes = new Map<string, Dim>();
  terms.forEach((labels, i) =>
    labels.forEach((label, axis) => {
      const [size, known] = [shapes[i][axis], sizes.get(label)];
      if (typeof size === "number" && typeof known === "number" && size !== 1 && known !== 1 && size !== known)
        throw refuse(`"${label}" is ${known} and ${size}`);
      if (
        known === undefined ||
        known === 1 ||
        (known === null && size !== 1) ||
        (typeof size === "number" && size !== 1)
      )
        sizes.set(label, size);
    }),
  );
  const once = (label: string): boolean => terms.flat().filter((other) => other === label).length === 1;
  const letters = [...sizes.keys()].filter((label) => /[a-zA-Z]/.test(label));
  // sort() orders by code unit, as the specification does: A < Z < a < z
  const result =
    right === undefined ? [...spread("...", widest), ...letters.filter(once).sort()] : spread(right, widest);
  const stranger = result.find((label) => !sizes.has(label));
  if (stranger !== undefined) throw refuse(`no operand has "${stranger}"`);
  return { terms, result, sizes };
}
