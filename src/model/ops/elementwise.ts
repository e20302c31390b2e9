/**
 * Formulas applied element by element. A formula has up to three forms, because JavaScript has two kinds of number:
 * `float` for floating point, `integer` for integers that fit a double (the result wraps when stored, as two's
 * complement does), `bigint` for 64-bit integers. A missing form means that the operator is not defined for such
 * elements.
 */
import { LowbitError } from "#base/errors";
import type { Dim, Node } from "#model/model";
import { broadcastShapes } from "#model/ops/broadcast";
import { isStatic } from "#model/ops/dims";
import { contentLimit, contentOf, isInteger } from "#model/ops/known";
import { mapNumbers } from "#model/ops/mapNumbers";
import { placeOf, requireOneType } from "#model/ops/operand";
import { allocateChecked, broadcastOffsets } from "#model/ops/strides";
import type { Known } from "#model/ops/types";
import { sizeOf, type ElementType, fromNumbers, type Tensor, toNumbers } from "#model/tensor";

export interface Formula<Args extends "one" | "two"> {
  readonly float?: Args extends "one" ? (x: number) => number : (a: number, b: number) => number;
  readonly integer?: Args extends "one" ? (x: number) => number : (a: number, b: number) => number;
  readonly bigint?: Args extends "one" ? (x: bigint) => bigint : (a: bigint, b: bigint) => bigint;
}

/** y[i] = f(x[i]), of the same type. */
export function mapElements(node: Node, x: Tensor, formula: Formula<"one">): Tensor {
  const { data, dims, type } = x;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const f = formula.bigint ?? undefinedFor(node, type);
    return { type, dims, data: data.map(f) };
  }
  const f = (isInteger(type) ? formula.integer : formula.float) ?? undefinedFor(node, type);
  return fromNumbers(type, dims, mapNumbers(numbersIn(node, x), f));
}

/** y[i] = f(a[i], b[i]) after broadcasting, of `a`'s type. */
export function zipElements(node: Node, a: Tensor, b: Tensor, formula: Formula<"two">): Tensor {
  requireOneType(node, a, b);
  const { type } = a;
  const dims = broadcastShapes(a.dims, b.dims);
  const [ia, ib] = [broadcastOffsets(a.dims, dims), broadcastOffsets(b.dims, dims)];
  const out = allocateChecked(type, dims);
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    const f = formula.bigint ?? undefinedFor(node, type);
    const [x, y] = [bigintsIn(node, a), bigintsIn(node, b)];
    for (let i = 0; i < out.length; i++) out[i] = f(x[ia?.[i] ?? i], y[ib?.[i] ?? i]);
    return { type, dims, data: out };
  }
  const f = (isInteger(type) ? formula.integer : formula.float) ?? undefinedFor(node, type);
  const [x, y] = [numbersIn(node, a), numbersIn(node, b)];
  const results = new Float64Array(out.length);
  for (let i = 0; i < results.length; i++) results[i] = f(x[ia?.[i] ?? i], y[ib?.[i] ?? i]);
  return fromNumbers(type, dims, results);
}

/**
 * y[i] = whether f(a[i], b[i]) holds, after broadcasting. Elements are compared exactly: 64-bit integers as bigint,
 * strings as they are.
 */
export function compareElements<T>(node: Node, a: Tensor, b: Tensor, holds: (a: T, b: T) => boolean): Tensor {
  requireOneType(node, a, b);
  const dims = broadcastShapes(a.dims, b.dims);
  const [ia, ib] = [broadcastOffsets(a.dims, dims), broadcastOffsets(b.dims, dims)];
  const [x, y] = [elementsOf(a) as ArrayLike<T>, elementsOf(b) as ArrayLike<T>];
  const out = allocateChecked("bool", dims) as Uint8Array;
  for (let i = 0; i < out.length; i++) out[i] = holds(x[ia?.[i] ?? i], y[ib?.[i] ?? i]) ? 1 : 0;
  return { type: "bool", dims, data: out };
}

/** The content of f(a, b) after broadcasting, as far as both contents are known; undefined where one is not. */
export function zipContent(a: Known, b: Known, f: (a: Dim, b: Dim) => Dim): readonly Dim[] | undefined {
  const [x, y] = [contentOf(a), contentOf(b)];
  if (x === undefined || y === undefined || !isStatic(a.shape) || !isStatic(b.shape)) return undefined;
  const dims = broadcastShapes(a.shape, b.shape);
  if (sizeOf(dims) > contentLimit) return undefined;
  const [ia, ib] = [broadcastOffsets(a.shape, dims), broadcastOffsets(b.shape, dims)];
  return Array.from({ length: sizeOf(dims) }, (_, i) => f(x[ia?.[i] ?? i], y[ib?.[i] ?? i]));
}

/** The exact elements: 64-bit integers as bigint, strings as strings, all else as numbers. */
export function elementsOf(x: Tensor): ArrayLike<number> | ArrayLike<bigint> | ArrayLike<string> {
  const { data } = x;
  if (Array.isArray(data)) return data as readonly string[];
  return data instanceof BigInt64Array || data instanceof BigUint64Array ? data : toNumbers(x);
}

/**
 * The elements of a tensor of numbers. Throws model/type for strings and complex numbers, which have no order and no
 * formulas here.
 */
export function numbersIn(node: Node, x: Tensor): Float32Array | Float64Array {
  if (x.type === "string" || x.type === "complex64" || x.type === "complex128") return undefinedFor(node, x.type);
  return toNumbers(x);
}

function bigintsIn(node: Node, x: Tensor): ArrayLike<bigint> {
  const { data } = x;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return data;
  return isInteger(x.type) ? Array.from(toNumbers(x), BigInt) : undefinedFor(node, x.type);
}

/** Throws model/type: this operator has no meaning for elements of that type. */
export function undefinedFor(node: Node, type: ElementType): never {
  throw new LowbitError("model/type", `${node.op} is not defined for ${type}`, { at: placeOf(node) });
}
