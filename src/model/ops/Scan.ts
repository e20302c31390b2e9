import { intAttribute, intsAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { normalizeAxis } from "#model/ops/axes";
import { mergeDims } from "#model/ops/dims";
import { inputOf } from "#model/ops/known";
import { bodyOf, emptyStack, settle } from "#model/ops/loopState";
import { operand } from "#model/ops/operand";
import { sliceAt, stack } from "#model/ops/stack";
import type { ForwardContext, InferContext, Known, Op } from "#model/ops/types";
import { allocate, type Tensor, toNumbers } from "#model/tensor";

/**
 * Runs its body once per element of its sequences. The body takes (state …, one slice of each sequence …) and gives
 * (state …, slices …); the outputs are the last state and the stacked slices. Before operator set 9 every value has a
 * batch axis before its sequence axis, and the first input says how long each batch element's sequence is.
 */
export const Scan: Op = {
  domain: "",
  name: "Scan",
  infer: (context) => (context.opset < 9 ? inferBatched(context) : inferScan(context)),
  forward: (context) => {
    if (context.opset < 9) return scanBatched(context);
    const inputs = context.inputs.map((_, i) => operand(context, i));
    const sequences = intAttribute(context.node, "num_scan_inputs", inputs.length);
    return scan(context, inputs.slice(0, -sequences), inputs.slice(-sequences));
  },
};

function scan(context: ForwardContext, first: readonly Tensor[], sequences: readonly Tensor[]): Tensor[] {
  const { node } = context;
  const body = bodyOf(node);
  const axes = sequences.map(({ dims }, i) => axisOf(node, "scan_input_axes", i, dims.length));
  const backward = (name: string, i: number): boolean => (intsAttribute(node, name)?.[i] ?? 0) !== 0;
  const reversed = sequences.map((_, i) => backward(context.opset < 9 ? "directions" : "scan_input_directions", i));
  const length = sequences[0].dims[axes[0]];
  let state = first;
  const collected: Tensor[][] = body.outputs.slice(state.length).map(() => []);
  for (let step = 0; step < length; step++) {
    const slices = sequences.map((x, i) => sliceAt(x, axes[i], reversed[i] ? length - 1 - step : step));
    const outputs = context.runGraph(body, [...state, ...slices]);
    state = outputs.slice(0, first.length);
    for (const [k, all] of collected.entries()) all.push(outputs[first.length + k]);
  }
  const stacked = collected.map((slices, k) => {
    if (slices.length === 0) return emptyStack(body, first.length + k);
    const ordered = backward("scan_output_directions", k) ? slices.reverse() : slices;
    return stack(ordered, axisOf(node, "scan_output_axes", k, slices[0].dims.length + 1));
  });
  return [...state, ...stacked];
}

/** One scan per batch element; slices beyond an element's length stay zero. */
function scanBatched(context: ForwardContext): Tensor[] {
  const { node } = context;
  const [lengths] = context.inputs;
  const inputs = context.inputs.slice(1).map((_, i) => operand(context, i + 1));
  const sequences = intAttribute(node, "num_scan_inputs", inputs.length);
  const states = inputs.length - sequences;
  const longest = inputs[states].dims[1];
  const results = Array.from({ length: inputs[0].dims[0] }, (_, element) => {
    const count = lengths === undefined ? longest : toNumbers(lengths)[element];
    const own = inputs.map((x) => sliceAt(x, 0, element));
    const cut = own.slice(states).map((x) => firstOf(x, count));
    const outputs = scan(context, own.slice(0, states), cut);
    return outputs.map((y, k) => (k < states ? y : firstOf(y, longest)));
  });
  return results[0].map((_, k) =>
    stack(
      results.map((outputs) => outputs[k]),
      0,
    ),
  );
}

/** `count` slices of the first axis: cut, or filled with zeros. */
function firstOf(x: Tensor, count: number): Tensor {
  if (x.dims[0] === count) return x;
  const size = (x.data.length / Math.max(1, x.dims[0])) * count;
  const out = allocate(x.type, size);
  for (let i = 0; i < Math.min(size, x.data.length); i++) out[i] = x.data[i];
  return { type: x.type, dims: [count, ...x.dims.slice(1)], data: out };
}

function inferScan(context: InferContext): readonly Known[] {
  const { node } = context;
  const inputs = context.inputs.map((_, i) => inputOf(context, i));
  const sequences = intAttribute(node, "num_scan_inputs", inputs.length);
  const axes = inputs
    .slice(-sequences)
    .map(({ shape }, i) => shape && axisOf(node, "scan_input_axes", i, shape.length));
  const length = inputs
    .slice(-sequences)
    .reduce<Dim>((known, { shape }, i) => mergeDims(known, shape?.[axes[i] ?? 0] ?? null), null);
  const slices = inputs
    .slice(-sequences)
    .map(({ element, shape }, i) => ({ element, shape: shape?.filter((_, a) => a !== axes[i]) }));
  const { state, outputs } = inferBody(context, inputs.slice(0, -sequences), slices);
  const stacked = outputs.map(({ element, shape }, k): Known => {
    if (shape === undefined) return { element, shape };
    const axis = axisOf(node, "scan_output_axes", k, shape.length + 1);
    return { element, shape: [...shape.slice(0, axis), length, ...shape.slice(axis)] };
  });
  return [...state, ...stacked];
}

function inferBatched(context: InferContext): readonly Known[] {
  const inputs = context.inputs.slice(1).map((_, i) => inputOf(context, i + 1));
  const states = inputs.length - intAttribute(context.node, "num_scan_inputs", inputs.length);
  const without =
    (axes: number) =>
    ({ element, shape }: Known): Known => ({ element, shape: shape?.slice(axes) });
  const [batch, length] = inputs[states]?.shape ?? [null, null];
  const { state, outputs } = inferBody(
    context,
    inputs.slice(0, states).map(without(1)),
    inputs.slice(states).map(without(2)),
  );
  const within =
    (...dims: Dim[]) =>
    ({ element, shape }: Known): Known => ({ element, shape: shape && [...dims, ...shape] });
  return [...state.map(within(batch)), ...outputs.map(within(batch, length))];
}

/** State that holds in every iteration, and one slice of each stacked output. */
function inferBody(context: InferContext, first: readonly Known[], slices: readonly Known[]) {
  const body = bodyOf(context.node);
  const { state, outputs } = settle(first, (current) => {
    const all = context.inferGraph(body, [...current, ...slices]);
    return { state: all.slice(0, first.length), outputs: all.slice(first.length) };
  });
  return { state, outputs };
}

function axisOf(node: Node, attribute: string, index: number, rank: number): number {
  return normalizeAxis(node, intsAttribute(node, attribute)?.[index] ?? 0, rank);
}
