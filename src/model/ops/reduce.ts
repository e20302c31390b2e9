/**
 * Reductions over axes, a formula a line. Sums accumulate in float64; those of integers are exact and wrap at the end.
 */
import { LowbitError } from "#base/errors";
import { intAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { integersGiven, normalizeAxes } from "#model/ops/axes";
import { productOfDims } from "#model/ops/dims";
import { numbersIn } from "#model/ops/elementwise";
import { contentOf, isInteger, knownTensor, outputDims, unknownDims, withContent } from "#model/ops/known";
import { countOf, operand, placeOf } from "#model/ops/operand";
import { offsetsOf, ramp, stridesOf } from "#model/ops/strides";
import { type Known, type Op, unknown } from "#model/ops/types";
import { allocate, type ElementType, elementTypes, fromNumbers, sizeOf, type Tensor } from "#model/tensor";

/**
 * How elements become one: `start` is the result of none, `add` takes one more, `finish` sees the sum and the count.
 */
interface Reduction<T> {
  readonly start: T | ((type: ElementType) => T);
  readonly add: (sum: T, x: T) => T;
  readonly finish?: (sum: T, count: number) => T;
}

/** One operation per element; finishing is not counted. Without `exact`, integers go through floating point as well. */
function reduction(name: string, float: Reduction<number>, exact?: Reduction<bigint>): Op {
  const infer: Op["infer"] = ({ node, inputs }) => {
    const x = inputs[0] ?? unknown;
    const known = { element: x.element, shape: reducedShape(node, inputs, x.shape) };
    // a product of dims is the one reduction that exporters apply to shapes
    const dims = name === "ReduceProd" && x.shape?.length === 1 ? contentOf(x) : undefined;
    return [withContent(known, dims && [productOfDims(dims)])];
  };
  return {
    domain: "",
    name,
    infer,
    cost: (_, [x]) => ({ macs: 0, flops: countOf(x) }),
    forward: (context) => {
      const { node } = context;
      const x = operand(context, 0);
      const [dims] = outputDims(infer, context);
      const axes = axesOf(
        node,
        context.inputs.map((input) => input && knownTensor(input)),
        x.dims.length,
      );
      if (axes === null) throw new LowbitError("model/type", `${name} needs integer axes`, { at: placeOf(node) });
      const strides = stridesOf(x.dims.map((dim, axis) => (axes.has(axis) ? 1 : dim)));
      const target = offsetsOf(x.dims.map((dim, axis) => ramp(dim, axes.has(axis) ? 0 : strides[axis])));
      if (isInteger(x.type) && exact !== undefined) {
        const elements = Array.from(x.data as ArrayLike<number | bigint>, BigInt);
        return [fromBigints(x.type, dims, reduce(elements, target, sizeOf(dims), exact, x.type))];
      }
      return [fromNumbers(x.type, dims, reduce(numbersIn(node, x), target, sizeOf(dims), float, x.type))];
    },
  };
}

/**
 * Axes to reduce, an attribute in older operator sets and an input since; null where not known. None given means all,
 * or with the attribute `noop_with_empty_axes` none.
 */
function axesOf(node: Node, inputs: readonly (Known | undefined)[], rank: number): ReadonlySet<number> | null {
  const given = integersGiven(node, inputs, "axes", 1);
  if (given === null) return null;
  if (given !== undefined && given.length > 0) return new Set(normalizeAxes(node, given, rank));
  const none = intAttribute(node, "noop_with_empty_axes", 0) !== 0;
  return new Set(none ? [] : unknownDims(rank).keys());
}

function reducedShape(
  node: Node,
  inputs: readonly (Known | undefined)[],
  shape: readonly Dim[] | undefined,
): readonly Dim[] | undefined {
  if (shape === undefined) return undefined;
  const axes = axesOf(node, inputs, shape.length);
  const keep = intAttribute(node, "keepdims", 1) !== 0;
  if (axes === null) return keep ? unknownDims(shape.length) : undefined;
  return shape.flatMap((dim, axis): Dim[] => (!axes.has(axis) ? [dim] : keep ? [1] : []));
}

function reduce<T>(
  x: ArrayLike<T>,
  target: Int32Array,
  size: number,
  { start, add, finish = (sum) => sum }: Reduction<T>,
  type: ElementType,
): T[] {
  const first = typeof start === "function" ? (start as (type: ElementType) => T)(type) : start;
  const sums = Array.from({ length: size }, () => first);
  for (let i = 0; i < x.length; i++) sums[target[i]] = add(sums[target[i]], x[i]);
  const count = x.length / Math.max(1, size);
  return sums.map((sum) => finish(sum, count));
}

function fromBigints(type: ElementType, dims: readonly number[], values: readonly bigint[]): Tensor {
  if (type !== "int64" && type !== "uint64")
    return fromNumbers(
      type,
      dims,
      values.map((value) => Number(BigInt.asIntN(32, value))),
    );
  const out = allocate(type, values.length) as BigInt64Array;
  out.set(values);
  return { type, dims, data: out };
}

const unsigned = (type: ElementType): boolean => type === "bool" || type.startsWith("u");
const lowest = (type: ElementType): bigint => (unsigned(type) ? 0n : -(2n ** BigInt(elementTypes[type].bits - 1)));
const highest = (type: ElementType): bigint =>
  type === "bool" ? 1n : 2n ** BigInt(elementTypes[type].bits - (unsigned(type) ? 0 : 1)) - 1n;

/** ln(eᵃ + eᵇ) without overflow. */
function logAddExp(a: number, b: number): number {
  if (a === b) return a + Math.LN2;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}

const abs = (x: bigint): bigint => (x < 0n ? -x : x);
const sum: Reduction<number> = { start: 0, add: (s, x) => s + x };
const exactSum: Reduction<bigint> = { start: 0n, add: (s, x) => s + x };

export const reduceOps: readonly Op[] = [
  reduction("ReduceSum", sum, exactSum),
  reduction("ReduceMean", { ...sum, finish: (s, n) => s / n }, { ...exactSum, finish: (s, n) => s / BigInt(n || 1) }),
  reduction("ReduceMax", { start: -Infinity, add: Math.max }, { start: lowest, add: (a, b) => (a > b ? a : b) }),
  reduction("ReduceMin", { start: Infinity, add: Math.min }, { start: highest, add: (a, b) => (a < b ? a : b) }),
  reduction("ReduceProd", { start: 1, add: (s, x) => s * x }, { start: 1n, add: (s, x) => BigInt.asIntN(64, s * x) }),
  reduction("ReduceL1", { start: 0, add: (s, x) => s + Math.abs(x) }, { start: 0n, add: (s, x) => s + abs(x) }),
  reduction("ReduceL2", { start: 0, add: (s, x) => s + x * x, finish: Math.sqrt }),
  reduction("ReduceSumSquare", { start: 0, add: (s, x) => s + x * x }, { start: 0n, add: (s, x) => s + x * x }),
  reduction("ReduceLogSum", { ...sum, finish: Math.log }),
  reduction("ReduceLogSumExp", { start: -Infinity, add: logAddExp }),
];
