/**
 * Adds to a graph the nodes that compute statistics of its values, so that calibration fetches a few numbers and never an
 * activation: the runtime that runs the model also reduces it, and memory does not grow with the data.
 */
import { SharedConstants } from "#methods/quantize/parameters";
import { createNode } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model, ValueInfo } from "#model/model";
import { raiseOpset } from "#model/opset";
import { type ElementType, elementTypes, float32, int64, tensor } from "#model/tensor";

/** Outputs of a tapped graph. */
export const tapOutputs = {
  min: "lowbit_min",
  max: "lowbit_max",
  means: "lowbit_means",
  counts: "lowbit_counts",
} as const;

/** A value whose mean per channel is wanted. */
export interface ChannelTap {
  readonly tensor: string;
  readonly rank: number;
  /** The channels' axis, and how many they are. */
  readonly axis: number;
  readonly length: number;
}

/** The grid of one tensor's histogram; see quant/summary. */
export interface TapBins {
  readonly tensor: string;
  readonly width: number;
  readonly first: number;
  readonly length: number;
}

const metadata: ReadonlyMap<string, string> = new Map();

/** A graph that computes only `outputs` (vectors), each the concatenation of the parts that `build` names for it. */
function tapGraph(
  model: Model,
  outputs: readonly (readonly [name: string, element: ElementType])[],
  build: (draft: GraphDraft, constants: SharedConstants) => Readonly<Record<string, readonly string[]>>,
): Model {
  const declared = outputs.map(
    ([name, element]): ValueInfo => ({
      name,
      type: { kind: "tensor", element, shape: [null] },
      doc: "",
      metadata,
    }),
  );
  const draft = new GraphDraft({ ...model.graph, outputs: declared });
  const parts = build(draft, new SharedConstants(draft));
  for (const [name] of outputs) draft.add(createNode("Concat", parts[name], [name], { axis: 0 }));
  draft.removeUnused();
  return { ...model, graph: draft.finish() };
}

/**
 * Outputs `lowbit_min` and `lowbit_max`: one number for each of `tensors`, in order; and, where `channels` are given,
 * `lowbit_means`: their means per channel, one after another.
 */
export function tapExtremes(model: Model, tensors: readonly string[], channels: readonly ChannelTap[]): Model {
  const outputs: [string, ElementType][] = [
    [tapOutputs.min, "float32"],
    [tapOutputs.max, "float32"],
  ];
  if (channels.length > 0) outputs.push([tapOutputs.means, "float32"]);
  const axesAreInput = (model.opsets.get("") ?? 0) >= 18;
  return tapGraph(model, outputs, (draft, constants) => {
    const parts: Record<string, string[]> = { [tapOutputs.min]: [], [tapOutputs.max]: [], [tapOutputs.means]: [] };
    const vector = (value: string, length: number, output: string): void => {
      const flat = draft.freshName(`${value}_flat`);
      draft.add(createNode("Reshape", [value, constants.add(int64([1], [length]), "lowbit_shape")], [flat]));
      parts[output].push(flat);
    };
    for (const name of tensors) {
      for (const [output, op] of [
        [tapOutputs.min, "ReduceMin"],
        [tapOutputs.max, "ReduceMax"],
      ] as const) {
        const reduced = draft.freshName(`${name}_${op}`);
        draft.add(createNode(op, [name], [reduced], { keepdims: 0 }));
        vector(reduced, 1, output);
      }
    }
    for (const { tensor: name, rank, axis } of channels) {
      const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);
      const reduced = draft.freshName(`${name}_mean`);
      draft.add(
        axesAreInput
          ? createNode("ReduceMean", [name, constants.add(int64([axes.length], axes), "lowbit_axes")], [reduced], {
              keepdims: 0,
            })
          : createNode("ReduceMean", [name], [reduced], { axes, keepdims: 0 }),
      );
      vector(reduced, -1, tapOutputs.means);
    }
    return parts;
  });
}

/**
 * Output `lowbit_counts`: the histograms, one after another in the order of `bins`. A value x counts in bin ⌊x/width⌋ − first;
 * widths are powers of two, so the division is exact, and after subtracting `first` it is never negative, where ONNX's
 * truncating Cast is a floor. Counting is ScatterElements with reduction "add" (opset 16).
 */
export function tapHistograms(model: Model, bins: readonly TapBins[]): Model {
  return tapGraph(raiseOpset(model, 16), [[tapOutputs.counts, "int32"]], (draft, constants) => {
    const parts: string[] = [];
    for (const { tensor: name, width, first, length } of bins) {
      const scalar = (value: number): string => constants.add(float32([], [value]), "lowbit_scalar");
      const step = (suffix: string): string => draft.freshName(`${name}_${suffix}`);
      const [scaled, offset, inside, index, flat, shape, ones, counts] = [
        "scaled",
        "offset",
        "inside",
        "index",
        "flat",
        "shape",
        "ones",
        "counts",
      ].map(step);
      const one = constants.add(tensor("int32", [1], Int32Array.of(1)), "lowbit_one");
      const zeros = constants.add(tensor("int32", [length], new Int32Array(length)), "lowbit_zeros");
      draft.add(
        createNode("Mul", [name, scalar(1 / width)], [scaled]),
        createNode("Sub", [scaled, scalar(first)], [offset]),
        // outside only where a second run of the same sample differs in the last bit
        createNode("Clip", [offset, scalar(0), scalar(length - 1)], [inside]),
        createNode("Cast", [inside], [index], { to: elementTypes.int32.code }),
        createNode("Reshape", [index, constants.add(int64([1], [-1]), "lowbit_shape")], [flat]),
        createNode("Shape", [flat], [shape]),
        createNode("Expand", [one, shape], [ones]),
        createNode("ScatterElements", [zeros, flat, ones], [counts], { axis: 0, reduction: "add" }),
      );
      parts.push(counts);
    }
    return { [tapOutputs.counts]: parts };
  });
}
