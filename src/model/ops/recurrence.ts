/**
 * What LSTM, GRU and RNN share: directions, layouts, sequences of different lengths. A cell says what happens in one
 * step.
 *
 * X is [steps, batch, inputs] and Y [steps, directions, batch, hidden], states [directions, batch, hidden]; with layout
 * 1 the batch comes first in all of them. The reverse direction reads each sequence from its own end. Beyond a
 * sequence's end Y is 0.
 */
import { LowbitError } from "#base/errors";
import { floatAttribute, intAttribute, stringAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { type Activation, activationsOf } from "#model/ops/recurrentActivations";
import { countOf, operand, placeOf } from "#model/ops/operand";
import type { Cost, ForwardContext, Known } from "#model/ops/types";
import { fromNumbers, type Tensor, toNumbers } from "#model/tensor";

export type Numbers = ArrayLike<number>;

/** What distinguishes one recurrent operator from another. */
export interface Cell {
  /** Rows of W and R per hidden unit. */
  readonly gates: number;
  /** Default activation functions. */
  readonly activations: readonly string[];
  /** Whether there is a cell state beside the hidden state. */
  readonly cell: boolean;
  readonly stepOf: (parameters: Parameters) => Step;
}

/** The parameters of one direction. */
interface Parameters {
  readonly node: Node;
  readonly hidden: number;
  /** [gates · hidden, hidden] */
  readonly r: Numbers;
  /** [gates · hidden] */
  readonly rBias: Numbers;
  /** Peepholes [3 · hidden], or undefined. */
  readonly p: Numbers | undefined;
  /** The activation functions, each after clipping its argument. */
  readonly activations: readonly Activation[];
}

/**
 * Replaces the states h and c by the next ones, given W·x + its bias. `seen` is h as the recurrent product reads it.
 */
type Step = (input: Float64Array, h: Float64Array, c: Float64Array, seen: Numbers) => void;

/** The operands, as numbers in the layout of the specification. */
export interface Operands {
  readonly x: Tensor;
  /** [directions, gates · hidden, inputs] and [directions, gates · hidden, hidden] */
  readonly w: Numbers;
  readonly r: Numbers;
  readonly hidden: number;
  readonly directions: number;
  readonly bias?: Tensor;
  readonly lengths?: Tensor;
  readonly h0?: Tensor;
  readonly c0?: Tensor;
  readonly peepholes?: Tensor;
  /** What the products read in place of x and h: where an operator quantizes them. */
  readonly seen?: (values: Numbers) => Numbers;
}

/** Runs W and R given as tensors: the standard operators. */
export function runCell(context: ForwardContext, cell: Cell): Tensor[] {
  const [x, w, r] = [operand(context, 0), operand(context, 1), operand(context, 2)];
  const [, , , bias, lengths, h0, c0, peepholes] = context.inputs;
  const [directions, , hidden] = r.dims;
  const operands = { x, w: toNumbers(w), r: toNumbers(r), hidden, directions, bias, lengths, h0, c0, peepholes };
  if (w.dims[1] !== cell.gates * hidden || w.dims[2] !== x.dims[2])
    throw new LowbitError(
      "model/shape",
      `${context.node.op} of [${x.dims.join(", ")}] with W [${w.dims.join(", ")}] and R [${r.dims.join(", ")}]`,
      { at: placeOf(context.node) },
    );
  return runRecurrence(context.node, cell, operands);
}

/** Y, the last hidden state and, where there is one, the last cell state. */
export function runRecurrence(node: Node, cell: Cell, operands: Operands): Tensor[] {
  const { x, directions, hidden, seen = (values) => values } = operands;
  const batchFirst = intAttribute(node, "layout", 0) !== 0;
  const inputs = x.dims[2];
  const [steps, batch] = batchFirst ? [x.dims[1], x.dims[0]] : [x.dims[0], x.dims[1]];
  const rows = cell.gates * hidden;
  const values = seen(toNumbers(x));
  const lengths = operands.lengths && toNumbers(operands.lengths);
  const bias = operands.bias && toNumbers(operands.bias);
  const peepholes = operands.peepholes && toNumbers(operands.peepholes);
  const [h0, c0] = [operands.h0 && toNumbers(operands.h0), operands.c0 && toNumbers(operands.c0)];
  const activations = clippedActivations(node, cell, directions);
  const direction = stringAttribute(node, "direction", "forward");
  const y = new Float64Array(steps * directions * batch * hidden);
  const [lastH, lastC] = [new Float64Array(directions * batch * hidden), new Float64Array(directions * batch * hidden)];
  const gates = new Float64Array(rows);
  for (let d = 0; d < directions; d++) {
    const w = slice(operands.w, d * rows * inputs, rows * inputs);
    const wBias = bias && slice(bias, 2 * d * rows, rows);
    const step = cell.stepOf({
      node,
      hidden,
      r: slice(operands.r, d * rows * hidden, rows * hidden),
      rBias: bias ? slice(bias, (2 * d + 1) * rows, rows) : new Float64Array(rows),
      p: peepholes && slice(peepholes, d * 3 * hidden, 3 * hidden),
      activations: activations[d],
    });
    const reverse = direction === "reverse" || d === 1;
    for (let n = 0; n < batch; n++) {
      const state = (batchFirst ? n * directions + d : d * batch + n) * hidden;
      const h = Float64Array.from(h0 === undefined ? new Float64Array(hidden) : slice(h0, state, hidden));
      const c = Float64Array.from(c0 === undefined ? new Float64Array(hidden) : slice(c0, state, hidden));
      const length = Math.min(lengths?.[n] ?? steps, steps);
      for (let k = 0; k < length; k++) {
        const t = reverse ? length - 1 - k : k;
        const from = (batchFirst ? n * steps + t : t * batch + n) * inputs;
        for (let row = 0; row < rows; row++)
          gates[row] = dot(w, row * inputs, values, from, inputs) + (wBias?.[row] ?? 0);
        step(gates, h, c, seen(h));
        y.set(h, (batchFirst ? (n * steps + t) * directions + d : (t * directions + d) * batch + n) * hidden);
      }
      lastH.set(h, state);
      lastC.set(c, state);
    }
  }
  const { all, last } = outputDims(batchFirst, steps, batch, directions, hidden);
  const outputs = [fromNumbers(x.type, all as number[], y), fromNumbers(x.type, last as number[], lastH)];
  return cell.cell ? [...outputs, fromNumbers(x.type, last as number[], lastC)] : outputs;
}

/** Σ a[i + k] · b[j + k] */
export function dot(a: Numbers, i: number, b: Numbers, j: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += a[i + k] * b[j + k];
  return sum;
}

function slice(values: Numbers, from: number, count: number): Numbers {
  return (values as Float64Array).subarray(from, from + count);
}

function clippedActivations(node: Node, cell: Cell, directions: number): Activation[][] {
  const threshold = floatAttribute(node, "clip", Number.POSITIVE_INFINITY);
  return activationsOf(node, cell.activations, directions).map((functions) =>
    functions.map((f) => (x) => f(Math.min(Math.max(x, -threshold), threshold))),
  );
}

function outputDims(
  batchFirst: boolean,
  steps: Dim,
  batch: Dim,
  directions: Dim,
  hidden: Dim,
): Record<"all" | "last", readonly Dim[]> {
  return batchFirst
    ? { all: [batch, steps, directions, hidden], last: [batch, directions, hidden] }
    : { all: [steps, directions, batch, hidden], last: [directions, batch, hidden] };
}

/** Shapes of Y and the last states. `hidden` is taken from R's last dim or the attribute. */
export function recurrenceShapes(node: Node, cell: Cell, x: Known | undefined, hidden: Dim): Known[] {
  const [first, second] = x?.shape ?? [null, null];
  const batchFirst = intAttribute(node, "layout", 0) !== 0;
  const [steps, batch] = batchFirst ? [second, first] : [first, second];
  const directions = stringAttribute(node, "direction", "forward") === "bidirectional" ? 2 : 1;
  const size = hidden ?? (intAttribute(node, "hidden_size", 0) || null);
  const { all, last } = outputDims(batchFirst, steps ?? null, batch ?? null, directions, size);
  const element = x?.element;
  return [{ element, shape: all }, { element, shape: last }, ...(cell.cell ? [{ element, shape: last }] : [])];
}

/** Every weight of W and R is used once per step and sample; each gate has an activation and a few sums. */
export function recurrenceCost(
  node: Node,
  cell: Cell,
  x: Known | undefined,
  w: Known | undefined,
  r: Known | undefined,
): Cost {
  const [first, second] = (x?.shape ?? [0, 0]) as number[];
  const samples = first * second;
  const hidden = (r?.shape?.at(-1) ?? intAttribute(node, "hidden_size", 0)) as number;
  const units = countOf(r) / hidden;
  return { macs: samples * (countOf(w) + countOf(r)), flops: samples * units * (cell.cell ? 4 : 3) };
}
