import type { Dim } from "#model/model";
import { axisAttribute } from "#model/ops/axes";
import { addDims, isStatic, mergeDims } from "#model/ops/dims";
import { contentOf, outputDims, unknownDims, withContent } from "#model/ops/known";
import { operand, requireOneType } from "#model/ops/operand";
import { allocateChecked } from "#model/ops/strides";
import { type Known, type Op, unknown } from "#model/ops/types";
import { sizeOf } from "#model/tensor";

/** The inputs one after the other along `axis`; all other dims agree. */
export const Concat: Op = {
  domain: "",
  name: "Concat",
  infer: ({ node, inputs: given }) => {
    const inputs = given.map((input) => input ?? unknown);
    const element = inputs.find((input) => input.element !== undefined)?.element;
    const rank = inputs.find(({ shape }) => shape !== undefined)?.shape?.length;
    if (rank === undefined) return [{ element, shape: undefined }];
    // before operator set 4 the axis had a default of 1
    const axis = axisAttribute(node, 1, rank);
    const shape = Array.from({ length: rank }, (_, a) => {
      const dims = inputs.map((input): Dim => input.shape?.[a] ?? null);
      return a === axis ? dims.reduce(addDims, 0) : dims.reduce(mergeDims, null);
    });
    if (inputs.some((input) => input.shape !== undefined && input.shape.length !== rank)) return [unknown];
    return [withContent({ element, shape }, rank === 1 ? contentOfAll(inputs) : undefined)];
  },
  forward: (context) => {
    const [dims] = outputDims(Concat.infer, context);
    const inputs = context.inputs.map((_, i) => operand(context, i));
    requireOneType(context.node, ...inputs);
    const [{ type }] = inputs;
    const out = allocateChecked(type, dims);
    const blocks = sizeOf(dims.slice(0, axisAttribute(context.node, 1, dims.length)));
    let at = 0;
    for (let block = 0; block < blocks; block++) {
      for (const { data } of inputs) {
        const length = data.length / blocks;
        for (let i = 0; i < length; i++) out[at++] = data[block * length + i];
      }
    }
    return [{ type, dims, data: out }];
  },
};

/** Parts of which nothing is known leave gaps, if at least their length is. */
function contentOfAll(inputs: readonly Known[]): readonly Dim[] | undefined {
  const parts = inputs.map(
    (input) => contentOf(input) ?? (isStatic(input.shape) ? unknownDims(input.shape[0]) : undefined),
  );
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}
