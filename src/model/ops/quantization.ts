/**
 * What the quantizing operators share: where a scale applies, the range of a code, rounding to a precision,
 * requantizing.
 */
import { LowbitError } from "#base/errors";
import { intAttribute } from "#model/attributes";
import type { Node } from "#model/model";
import { placeOf } from "#model/ops/operand";
import { decodeMinifloat, encodeMinifloat } from "#math/minifloat";
import { roundHalfEven } from "#math/round";
import { allocate, type ElementType, elementTypes, minifloats, sizeOf, type Tensor, toNumbers } from "#model/tensor";

/**
 * A tensor seen as [outer, length, inner] around its quantization axis. Element (o, a, i) uses the scale at
 * o·outerStep + ⌊a / block⌋·blockStep + i·innerStep.
 */
export interface ScaleLayout {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly block: number;
  readonly outerStep: number;
  readonly blockStep: number;
  readonly innerStep: number;
}

/**
 * How a scale covers a tensor: one for all, one per index of the axis (a vector), or one per block of `block_size`
 * along it (same rank). Throws model/shape where the scale is none of these.
 */
export function scaleLayout(node: Node, dims: readonly number[], scale: readonly number[]): ScaleLayout {
  const block = intAttribute(node, "block_size", 0);
  const whole = { outer: 1, length: 1, inner: sizeOf(dims), block: 1, outerStep: 0, blockStep: 0, innerStep: 0 };
  if (block === 0 && sizeOf(scale) === 1) return whole;
  const given = intAttribute(node, "axis", 1);
  const axis = given < 0 ? given + dims.length : given;
  const around = { outer: sizeOf(dims.slice(0, axis)), length: dims[axis], inner: sizeOf(dims.slice(axis + 1)) };
  if (block === 0 && scale.length === 1 && scale[0] === dims[axis])
    return { ...around, block: 1, outerStep: 0, blockStep: 1, innerStep: 0 };
  const blocks = Math.ceil(dims[axis] / block);
  if (block > 0 && scale.length === dims.length && scale.every((n, a) => n === (a === axis ? blocks : dims[a])))
    return { ...around, block, outerStep: blocks * around.inner, blockStep: around.inner, innerStep: 1 };
  throw new LowbitError(
    "model/shape",
    `scales [${scale.join(", ")}] fit [${dims.join(", ")}] neither along axis ${given} nor in blocks of ${block}`,
    { at: placeOf(node) },
  );
}

/** Calls `run` for each stretch of elements that share a scale or, in blocks, step through the scales one by one. */
export function forEachScaleRun(
  { outer, length, inner, block, outerStep, blockStep, innerStep }: ScaleLayout,
  run: (first: number, count: number, scale: number, step: number) => void,
): void {
  for (let o = 0, at = 0; o < outer; o++) {
    for (let a = 0; a < length; a++, at += inner) {
      run(at, inner, o * outerStep + Math.floor(a / block) * blockStep, innerStep);
    }
  }
}

/** Lowest and highest code of an integer type. → int4: [−8, 7] */
export function codeRangeOf(type: ElementType): readonly [number, number] {
  const { bits } = elementTypes[type];
  return type.startsWith("u") ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
}

/** The nearest number of a type's precision, as a number: what storing a result there and reading it back gives. */
export function precisionOf(type: ElementType): (x: number) => number {
  if (type === "float32") return Math.fround;
  const format = minifloats[type];
  if (format === undefined) return (x) => x;
  return (x) => decodeMinifloat(format, encodeMinifloat(format, x, false));
}

/**
 * A function from x / scale to the stored code: for integers saturate(roundHalfEven(x) + zero), for small floats their
 * cast. NaN becomes the lowest integer, as in ONNX Runtime.
 */
export function encoderOf(type: ElementType, saturate = true): (x: number, zero: number) => number {
  const format = minifloats[type];
  if (format !== undefined) return (x) => encodeMinifloat(format, x, saturate);
  const [low, high] = codeRangeOf(type);
  return (x, zero) => {
    const code = roundHalfEven(x) + zero;
    return code > high ? high : code >= low ? code : low;
  };
}

/** A scale or zero point that is one number, or one per channel of `count`. */
export function perChannel(value: Tensor | undefined, count: number, fallback: number): Float64Array {
  if (value === undefined) return new Float64Array(count).fill(fallback);
  const numbers = toNumbers(value);
  if (numbers.length === count) return Float64Array.from(numbers);
  if (numbers.length === 1) return new Float64Array(count).fill(numbers[0]);
  throw new LowbitError("model/shape", `${numbers.length} scales or zero points for ${count} channels`);
}

/** A scale or zero point that is one number. */
export function single(value: Tensor): number {
  return toNumbers(value)[0];
}

/** Numbers minus their zero point. */
export function centered(value: Tensor, zero: Tensor | undefined): Float32Array | Float64Array {
  const numbers = toNumbers(value);
  const z = zero === undefined ? 0 : single(zero);
  return z === 0 ? numbers : numbers.map((x) => x - z);
}

/**
 * Accumulators → codes of `type`, [outer, channels, inner]: encode(acc · multiplier[channel]) with the product in
 * float32, as ONNX Runtime does.
 */
export function requantize(
  type: ElementType,
  accumulators: Float64Array,
  multipliers: ArrayLike<number>,
  zero: number,
  inner: number,
): Tensor["data"] {
  const codes = allocate(type, accumulators.length) as Uint8Array;
  const encode = encoderOf(type);
  for (let at = 0, channel = 0; at < codes.length; channel = (channel + 1) % multipliers.length) {
    const multiplier = multipliers[channel];
    for (const end = at + inner; at < end; at++) {
      codes[at] = encode(Math.fround(Math.fround(accumulators[at]) * multiplier), zero);
    }
  }
  return codes;
}
