/**
 * Adds to a graph the nodes that compute statistics of its values, so that calibration fetches a few numbers and never an
 * activation: the runtime that runs the model also reduces it, and memory does not grow with the data.
 */
import { createNode } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model, Node, ValueInfo } from "#model/model";
import { raiseOpset } from "#model/opset";
import { type ElementType, float32, int64, tensor, type Tensor } from "#model/tensor";
import { weight } from "#model/weights";

/** Outputs of a tapped graph. */
export const tapOutputs = { min: "lowbit_min", max: "lowbit_max", counts: "lowbit_counts" } as const;

/** The grid of one tensor's histogram; see quant/summary. */
export interface TapBins {
  readonly tensor: string;
  readonly width: number;
  readonly first: number;
  readonly length: number;
}

const metadata: ReadonlyMap<string, string> = new Map();

function output(name: string, element: ElementType): ValueInfo {
  return { name, type: { kind: "tensor", element, shape: [null] }, doc: "", metadata };
}

/** A graph that computes only what the taps need, with `outputs`. */
function tapped(
  model: Model,
  tensors: readonly string[],
  outputs: readonly ValueInfo[],
  build: (
    name: string,
    constant: (value: Tensor) => string,
    fresh: (base: string) => string,
    add: (...nodes: Node[]) => void,
    index: number,
  ) => void,
  finish: (add: (...nodes: Node[]) => void) => void,
): Model {
  const draft = new GraphDraft({ ...model.graph, outputs });
  const constants = new Map<string, string>();
  const constant = (value: Tensor): string => {
    const key = `${value.type} [${value.dims.join()}] ${String(value.data)}`;
    const name = constants.get(key) ?? draft.addInitializer(weight("lowbit_constant", value));
    constants.set(key, name);
    return name;
  };
  tensors.forEach((name, index) =>
    build(
      name,
      constant,
      (base) => draft.freshName(base),
      (...nodes) => draft.add(...nodes),
      index,
    ),
  );
  finish((...nodes) => draft.add(...nodes));
  draft.removeUnused();
  return { ...model, graph: draft.finish() };
}

/** Outputs `lowbit_min` and `lowbit_max`: one number a tensor, in the order given. */
export function tapExtremes(model: Model, tensors: readonly string[]): Model {
  const parts: Record<"min" | "max", string[]> = { min: [], max: [] };
  return tapped(
    model,
    tensors,
    [output(tapOutputs.min, "float32"), output(tapOutputs.max, "float32")],
    (name, constant, fresh, add) => {
      for (const [key, op] of [
        ["min", "ReduceMin"],
        ["max", "ReduceMax"],
      ] as const) {
        const reduced = fresh(`${name}_${key}`);
        const flat = fresh(`${name}_${key}_flat`);
        parts[key].push(flat);
        add(
          createNode(op, [name], [reduced], { keepdims: 0 }),
          createNode("Reshape", [reduced, constant(int64([1], [1]))], [flat]),
        );
      }
    },
    (add) =>
      add(
        createNode("Concat", parts.min, [tapOutputs.min], { axis: 0 }),
        createNode("Concat", parts.max, [tapOutputs.max], { axis: 0 }),
      ),
  );
}

/**
 * Output `lowbit_counts`: the histograms, one after another in the order of `bins`. A value x counts in bin ⌊x/width⌋ − first;
 * widths are powers of two, so the division is exact, and after subtracting `first` it is never negative, where ONNX's
 * truncating Cast is a floor. Counting is ScatterElements with reduction "add" (opset 16).
 */
export function tapHistograms(model: Model, bins: readonly TapBins[]): Model {
  const parts: string[] = [];
  return tapped(
    raiseOpset(model, 16),
    bins.map((row) => row.tensor),
    [output(tapOutputs.counts, "int32")],
    (name, constant, fresh, add, i) => {
      const { width, first, length } = bins[i];
      const value = (suffix: string): string => fresh(`${name}_${suffix}`);
      const [scaled, offset, inside, index, flat, shape, ones, counts] = [
        "scaled",
        "offset",
        "inside",
        "index",
        "flat",
        "shape",
        "ones",
        "counts",
      ].map(value);
      add(
        createNode("Mul", [name, constant(float32([], [1 / width]))], [scaled]),
        createNode("Sub", [scaled, constant(float32([], [first]))], [offset]),
        // outside only where a second run of the same sample differs in the last bit
        createNode("Clip", [offset, constant(float32([], [0])), constant(float32([], [length - 1]))], [inside]),
        createNode("Cast", [inside], [index], { to: 6 }),
        createNode("Reshape", [index, constant(int64([1], [-1]))], [flat]),
        createNode("Shape", [flat], [shape]),
        createNode("Expand", [constant(tensor("int32", [1], Int32Array.of(1))), shape], [ones]),
        createNode(
          "ScatterElements",
          [constant(tensor("int32", [length], new Int32Array(length))), flat, ones],
          [counts],
          { axis: 0, reduction: "add" },
        ),
      );
      parts.push(counts);
    },
    (add) => add(createNode("Concat", parts, [tapOutputs.counts], { axis: 0 })),
  );
}
