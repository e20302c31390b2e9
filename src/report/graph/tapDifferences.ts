/** Adds to a graph that computes two models the nodes that sum up how far their values are apart. */
import { createNode } from "#model/attributes";
import { GraphDraft } from "#model/edit";
import type { Model, ValueInfo } from "#model/model";
import { elementTypes, int64, tensor } from "#model/tensor";
import { weight } from "#model/weights";

/** A value of the merged graph, the one it is compared with, and scale and zero point of the quantizer between them. */
export interface Pair {
  readonly value: string;
  readonly twin: string;
  readonly quantizer: readonly string[] | undefined;
}

/** What is summed up over the elements of a value x, its twin x̂, and q, x through the twin's quantizer of step s. */
export const sums = {
  /** Σ x² */
  signal: 0,
  /** Σ (x − x̂)² */
  noise: 1,
  /** Σ (x − q)² */
  rounding: 2,
  /** Σ max(0, |x − q| − s/2)²: what is more than half a step off was clipped */
  clipping: 3,
  /** Σ 1 */
  elements: 4,
} as const;
export const sumCount = 5;

export const tapOutput = "lowbit_sums";

/**
 * The graph with one output, `sums` of each pair one after another, in float64, which squares of any float32 fit. With `finiteOnly`,
 * elements where x is NaN or infinite count as 0.
 */
export function tapDifferences(model: Model, pairs: readonly Pair[], finiteOnly = false): Model {
  const type = { kind: "tensor", element: "float64", shape: [pairs.length * sumCount] } as const;
  const output: ValueInfo = { name: tapOutput, type, doc: "", metadata: new Map() };
  const draft = new GraphDraft({ ...model.graph, outputs: [output] });
  const number = (name: string, value: number): string =>
    draft.addInitializer(weight(name, tensor("float64", [], Float64Array.of(value))));
  const single = draft.addInitializer(weight("lowbit_single", int64([1], [1])));
  const [zero, half] = [number("lowbit_zero", 0), number("lowbit_half", 0.5)];
  const compute = (op: string, inputs: readonly string[], attributes = {}): string => {
    const name = draft.freshName(`lowbit_${op}`);
    draft.add(createNode(op, inputs, [name], attributes));
    return name;
  };
  const wide = (name: string): string => compute("Cast", [name], { to: elementTypes.float64.code });
  const vector = (name: string): string => compute("Reshape", [name, single]);
  const sumOfSquares = (name: string): string => vector(compute("ReduceSumSquare", [name], { keepdims: 0 }));
  const parts = pairs.flatMap(({ value, twin, quantizer }) => {
    let [x, y] = [wide(value), wide(twin)];
    let kept = (name: string): string => name;
    if (finiteOnly) {
      const broken = compute("IsNaN", [compute("Sub", [x, x])]);
      kept = (name) => compute("Where", [broken, zero, name]);
      [x, y] = [kept(x), kept(y)];
    }
    const none = vector(zero);
    const row = [
      sumOfSquares(x),
      sumOfSquares(compute("Sub", [x, y])),
      none,
      none,
      vector(wide(compute("Size", [value]))),
    ];
    if (quantizer !== undefined) {
      const codes = compute("QuantizeLinear", [value, ...quantizer]);
      const error = compute("Sub", [x, kept(wide(compute("DequantizeLinear", [codes, ...quantizer])))]);
      const step = compute("Mul", [wide(quantizer[0]), half]);
      const beyond = compute("Max", [compute("Sub", [compute("Abs", [error]), step]), zero]);
      row[sums.rounding] = sumOfSquares(error);
      row[sums.clipping] = sumOfSquares(beyond);
    }
    return row;
  });
  draft.add(createNode("Concat", parts, [tapOutput], { axis: 0 }));
  draft.removeUnused();
  return { ...model, graph: draft.finish() };
}
