/** One run of one operator as data: what golden files of operators hold. */
import { type AttributeInit, createNode } from "#model/attributes";
import type { Node } from "#model/model";
import { knownTensor } from "#model/ops/known";
import { findOp } from "#model/ops/index";
import type { ForwardContext, Known, Op } from "#model/ops/types";
import { type ElementType, fromNumbers, type Tensor, toNumbers } from "#model/tensor";

/** Numbers that JSON cannot write are strings: "NaN", "Infinity", "-Infinity", "-0", and integers from 2⁵³ on. */
export interface TensorData {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: readonly (number | string)[];
}

export interface OperatorCase {
  readonly name: string;
  readonly op: string;
  readonly domain?: string;
  readonly opset: number;
  readonly attributes?: Readonly<Record<string, AttributeInit>>;
  /** null: the node omits this input, or nobody asks for this output. */
  readonly inputs: readonly (TensorData | null)[];
  readonly outputs: readonly (TensorData | null)[];
  /** Largest error allowed, relative to the greatest output (of integers: in codes), with its reason. */
  readonly tolerance?: { readonly error: number; readonly why: string };
}

export interface OperatorFile {
  /** Whose numbers these are. */
  readonly source: string;
  readonly computedBy: string;
  readonly command?: string;
  readonly cases: readonly OperatorCase[];
}

export function tensorOf({ type, dims, data }: TensorData): Tensor {
  if (type === "int64") return { type, dims, data: BigInt64Array.from(data, BigInt) };
  if (type === "uint64") return { type, dims, data: BigUint64Array.from(data, BigInt) };
  return fromNumbers(type, dims, data.map(Number), true);
}

/** The case as operators see it. */
export function prepared(given: OperatorCase): { op: Op; node: Node; inputs: (Tensor | undefined)[] } {
  const node = createNode(
    given.op,
    given.inputs.map((input, i) => (input === null ? "" : `input${i}`)),
    given.outputs.map((_, i) => `output${i}`),
    given.attributes,
    { domain: given.domain ?? "" },
  );
  const op = findOp(given.domain ?? "", given.op);
  if (op === undefined) throw new Error(`${given.op} is not known`);
  return { op, node, inputs: given.inputs.map((input) => (input === null ? undefined : tensorOf(input))) };
}

/** Runs the case's operator; also gives what shape inference says, of whole values and of nothing but types. */
export function runCase(given: OperatorCase): {
  outputs: readonly Tensor[];
  known: readonly Known[];
  vague: readonly Known[];
} {
  const { op, node, inputs } = prepared(given);
  if (op.forward === undefined) throw new Error(`${given.op} has no forward`);
  const context: ForwardContext = { node, opset: given.opset, inputs, runGraph: () => [] };
  const infer = (see: (tensor: Tensor) => Known): readonly Known[] =>
    op.infer({ node, opset: given.opset, inputs: inputs.map((input) => input && see(input)), inferGraph: () => [] });
  return {
    outputs: op.forward(context),
    known: infer(knownTensor),
    vague: infer(({ type, dims }) => ({ element: type, shape: dims.map(() => null) })),
  };
}

/** Greatest difference of two tensors' numbers: in codes for integers, else relative to the greatest wanted number. */
export function errorBetween(got: Tensor, want: Tensor): number {
  // 64-bit integers beyond 2⁵³ may differ where their doubles do not
  const wide = /^u?int64$/.test(want.type) && got.data.join() !== want.data.join();
  const [a, b] = [toNumbers(got), toNumbers(want)];
  const integer = !/float/.test(want.type);
  let [worst, greatest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    if (Number.isFinite(b[i])) greatest = Math.max(greatest, Math.abs(b[i]));
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    const difference = Math.abs(a[i] - b[i]);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
  }
  if (wide) return Math.max(1, worst);
  return integer || greatest === 0 ? worst : worst / greatest;
}
