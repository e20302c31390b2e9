/**
 * Adds to a graph the nodes that compute statistics of its values, so that calibration fetches a few numbers and never an
 * activation: the runtime that runs the model also reduces it, and memory does not grow with the data.
 */
import { SharedConstants } from "#methods/quantize/parameters";
import { createNode } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model, ValueInfo } from "#model/model";
import { raiseOpset } from "#model/opset";
import { type ElementType, elementTypes, float32, int64, sizeOf, tensor } from "#model/tensor";

/** Outputs of a tapped graph. */
export const tapOutputs = {
  min: "lowbit_min",
  max: "lowbit_max",
  means: "lowbit_means",
  sums: "lowbit_sums",
  counts: "lowbit_counts",
} as const;

/** A value whose range is wanted. */
export interface ObservedValue {
  readonly tensor: string;
  /** Its shape for the data at hand, as far as it is known. */
  readonly dims?: readonly number[];
  /** Never below 0, because a Relu or Clip made it: its least value need not be looked for. */
  readonly fromZero?: boolean;
}

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
  /** Every how-manieth value counts; see `samplingStep`. */
  readonly step: number;
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
 * Outputs `lowbit_max`, one number for each of `values`, in order; `lowbit_min`, one for each that may be negative; where
 * `channels` are given, `lowbit_means`: their means per channel, one after another; and `lowbit_sums`, one for each of `values` that
 * has no such means. ONNX Runtime's ReduceMax and ReduceMin pass over NaN; sums and means do not.
 */
export function tapExtremes(model: Model, values: readonly ObservedValue[], channels: readonly ChannelTap[]): Model {
  const signed = values.filter(({ fromZero }) => fromZero !== true);
  const summed = valuesWithoutMeans(values, channels);
  const outputs: [string, ElementType][] = [];
  if (values.length > 0) outputs.push([tapOutputs.max, "float32"]);
  if (signed.length > 0) outputs.push([tapOutputs.min, "float32"]);
  if (channels.length > 0) outputs.push([tapOutputs.means, "float32"]);
  if (summed.length > 0) outputs.push([tapOutputs.sums, "float32"]);
  const axesAreInput = (model.opsets.get("") ?? 0) >= 18;
  return tapGraph(model, outputs, (draft, constants) => {
    const reduced = (op: string, name: string): string => {
      const [scalar, vector] = [draft.freshName(`${name}_${op}`), draft.freshName(`${name}_${op}_1`)];
      const one = constants.add(int64([1], [1]), "lowbit_shape");
      draft.add(createNode(op, [name], [scalar], { keepdims: 0 }), createNode("Reshape", [scalar, one], [vector]));
      return vector;
    };
    const mean = ({ tensor: name, rank, axis }: ChannelTap): string => {
      const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis);
      const vector = draft.freshName(`${name}_mean`);
      const node = axesAreInput
        ? createNode("ReduceMean", [name, constants.add(int64([axes.length], axes), "lowbit_axes")], [vector], {
            keepdims: 0,
          })
        : createNode("ReduceMean", [name], [vector], { axes, keepdims: 0 });
      draft.add(node);
      return vector;
    };
    return {
      [tapOutputs.max]: values.map(({ tensor: name }) => reduced("ReduceMax", name)),
      [tapOutputs.min]: signed.map(({ tensor: name }) => reduced("ReduceMin", name)),
      [tapOutputs.means]: channels.map(mean),
      [tapOutputs.sums]: summed.map(({ tensor: name }) => reduced("ReduceSum", name)),
    };
  });
}

/** Those whose sum is taken in the place of their means per channel, in order. */
export function valuesWithoutMeans(
  values: readonly ObservedValue[],
  channels: readonly ChannelTap[],
): readonly ObservedValue[] {
  const averaged = new Set(channels.map(({ tensor: name }) => name));
  return values.filter(({ tensor: name }) => !averaged.has(name));
}

/** So many values of a tensor a sample are enough for its histogram: 100 samples give 3 million. Extremes look at all. */
const enough = 32_768;
// largest first
const primes = [
  503, 401, 307, 211, 151, 127, 101, 97, 89, 83, 79, 73, 71, 67, 61, 59, 53, 47, 43, 41, 37, 31, 29, 23, 19, 17, 13, 11,
  7, 5, 3,
];

/** Every how-manieth value of a tensor a histogram counts: a prime that divides no axis, so that all rows and channels have their turn. */
export function samplingStep(dims: readonly number[] | undefined): number {
  const size = dims === undefined ? 0 : sizeOf(dims);
  if (size < 3 * enough) return 1;
  return primes.find((prime) => prime * enough <= size && dims?.every((dim) => dim % prime !== 0)) ?? 1;
}

/**
 * Output `lowbit_counts`: the histograms, one after another in the order of `bins`. A value x counts in bin ⌊x/width⌋ − first;
 * widths are powers of two, so the division is exact, and after subtracting `first` it is never negative, where ONNX's
 * truncating Cast is a floor. Counting is ScatterElements with reduction "add" (opset 16). One bin is spare at each end, since a
 * second run of the same sample, fused differently, may differ in the last bit.
 */
export function tapHistograms(model: Model, bins: readonly TapBins[]): Model {
  return tapGraph(raiseOpset(model, 16), [[tapOutputs.counts, "int32"]], (draft, constants) => {
    const parts: string[] = [];
    const one = constants.add(tensor("int32", [1], Int32Array.of(1)), "lowbit_one");
    const numbers = (...values: number[]): string => constants.add(int64([values.length], values), "lowbit_ints");
    const scalar = (value: number): string => constants.add(float32([], [value]), "lowbit_scalar");
    for (const { tensor: name, width, first, length, step } of bins) {
      let value = name;
      const apply = (op: string, inputs: readonly string[], attributes = {}): void => {
        const next = draft.freshName(`${name}_${op}`);
        draft.add(createNode(op, [value, ...inputs], [next], attributes));
        value = next;
      };
      apply("Reshape", [numbers(-1)]);
      if (step > 1) apply("Slice", [numbers(0), numbers(2 ** 31 - 1), numbers(0), numbers(step)]);
      apply("Mul", [scalar(1 / width)]);
      apply("Sub", [scalar(first - 1)]);
      apply("Cast", [], { to: elementTypes.int32.code });
      const [shape, ones, counts] = ["shape", "ones", "counts"].map((suffix) => draft.freshName(`${name}_${suffix}`));
      const zeros = constants.add(tensor("int32", [length + 2], new Int32Array(length + 2)), "lowbit_zeros");
      draft.add(
        createNode("Shape", [value], [shape]),
        createNode("Expand", [one, shape], [ones]),
        createNode("ScatterElements", [zeros, value, ones], [counts], { axis: 0, reduction: "add" }),
      );
      parts.push(counts);
    }
    return { [tapOutputs.counts]: parts };
  });
}
