/** Writing elements or slices at given places, replacing or combining with what is there. */
import { LowbitError } from "#base/errors";
import { stringAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { axisAttribute, normalizeIndex } from "#model/ops/axes";
import { type Formula, undefinedFor } from "#model/ops/elementwise";
import { elementOffsets } from "#model/ops/GatherElements";
import { tupleOffsets } from "#model/ops/GatherND";
import { inputOf, isInteger } from "#model/ops/known";
import { countOf, operand, placeOf, requireOneType } from "#model/ops/operand";
import { offsetsOf, ramp } from "#model/ops/strides";
import type { ForwardContext, Op } from "#model/ops/types";
import { fromNumbers, sizeOf, type Tensor, toNumbers } from "#model/tensor";

const reductions: Readonly<Record<string, Formula<"two">>> = {
  add: { float: (a, b) => a + b, integer: (a, b) => a + b, bigint: (a, b) => a + b },
  mul: { float: (a, b) => a * b, integer: Math.imul, bigint: (a, b) => a * b },
  min: { float: Math.min, integer: Math.min, bigint: (a, b) => (a < b ? a : b) },
  max: { float: Math.max, integer: Math.max, bigint: (a, b) => (a > b ? a : b) },
};

/**
 * `x` with update i combined into the element at offset i. The attribute `reduction` says how; by default it replaces.
 */
function scatter(node: Node, x: Tensor, updates: Tensor, offsets: ArrayLike<number>): Tensor {
  requireOneType(node, x, updates);
  const { dims, type } = x;
  if (offsets.length !== updates.data.length)
    throw new LowbitError("model/shape", `${node.op}: ${offsets.length} places for ${updates.data.length} updates`, {
      at: placeOf(node),
    });
  const name = stringAttribute(node, "reduction", "none");
  if (name === "none") {
    const out = x.data.slice() as Float64Array; // any kind of array is written the same way
    for (let i = 0; i < offsets.length; i++) out[offsets[i]] = updates.data[i] as number;
    return { type, dims, data: out };
  }
  const reduction = reductions[name];
  if (reduction === undefined)
    throw new LowbitError("model/attribute", `${node.op} has no reduction ${name}`, { at: placeOf(node) });
  if (x.data instanceof BigInt64Array || x.data instanceof BigUint64Array) {
    const f = reduction.bigint ?? undefinedFor(node, type);
    const out = x.data.slice();
    for (let i = 0; i < offsets.length; i++) out[offsets[i]] = f(out[offsets[i]], updates.data[i] as bigint);
    return { type, dims, data: out };
  }
  const f = (isInteger(type) ? reduction.integer : reduction.float) ?? undefinedFor(node, type);
  const out = Float64Array.from(toNumbers(x));
  const values = toNumbers(updates);
  for (let i = 0; i < offsets.length; i++) out[offsets[i]] = f(out[offsets[i]], values[i]);
  return fromNumbers(type, dims, out);
}

/**
 * An operator that writes into a copy of its first input. One operation per update; `updates` is the input that holds
 * them.
 */
function scattering(name: string, places: (context: ForwardContext) => ArrayLike<number>, updates = 2): Op {
  return {
    domain: "",
    name,
    infer: (context) => [{ element: inputOf(context, 0).element, shape: inputOf(context, 0).shape }],
    cost: (_, inputs) => ({ macs: 0, flops: countOf(inputs[updates]) }),
    forward: (context) => [scatter(context.node, operand(context, 0), operand(context, updates), places(context))],
  };
}

/** y[index[i][j]][j] = update[i][j] for axis 0, and so on. */
function byElement(context: ForwardContext): ArrayLike<number> {
  const { node } = context;
  const [x, indices] = [operand(context, 0), operand(context, 1)];
  const axis = axisAttribute(node, 0, x.dims.length);
  const at = toNumbers(indices);
  return elementOffsets(x.dims, indices.dims, axis, (i) => normalizeIndex(node, at[i], x.dims[axis]));
}

/** y[tuple] = update slice, for every tuple in the last axis of the indices. */
function byTuple(context: ForwardContext): ArrayLike<number> {
  const [x, indices] = [operand(context, 0), operand(context, 1)];
  const starts = tupleOffsets(context.node, x.dims, indices.dims, toNumbers(indices));
  const length = sizeOf(x.dims.slice(indices.dims[indices.dims.length - 1]));
  return Int32Array.from({ length: starts.length * length }, (_, i) => starts[Math.floor(i / length)] + (i % length));
}

/**
 * A piece of a sequence written into a cache, per batch element from its own index on; circular: past the end goes on
 * at the start.
 */
function intoCache(context: ForwardContext): ArrayLike<number> {
  const { node } = context;
  const [cache, update] = [operand(context, 0), operand(context, 1)];
  const axis = axisAttribute(node, -2, cache.dims.length);
  const circular = stringAttribute(node, "mode", "linear") === "circular";
  const starts = context.inputs[2] === undefined ? undefined : toNumbers(context.inputs[2]);
  const along = (of: number): Int32Array => offsetsOf(update.dims.map((dim, a) => ramp(dim, a === of ? 1 : 0)));
  const [element, step] = [along(0), along(axis)];
  const size = cache.dims[axis];
  const at = (i: number): number => (starts?.[element[i]] ?? 0) + step[i];
  return elementOffsets(cache.dims, update.dims, axis, (i) =>
    normalizeIndex(node, circular ? at(i) % size : at(i), size),
  );
}

export const scatterOps: readonly Op[] = [
  scattering("TensorScatter", intoCache, 1),
  scattering("Scatter", byElement), // the name of ScatterElements before operator set 11
  scattering("ScatterElements", byElement),
  scattering("ScatterND", byTuple),
];
