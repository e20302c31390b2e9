/**
 * The affine decoding, ONNX's DequantizeLinear: x̂ = (q − z)·s, with q = clamp(roundHalfEven(x / s) + z). Division, in float32;
 * rounding happens before the zero point is added (onnx/docs/Operators.md, QuantizeLinear).
 */
import { LowbitError } from "#base/errors";
import { exponentOf } from "#math/minifloat";
import { roundHalfEven } from "#math/round";
import { sharedKernels } from "#kernels/shared";
import type { Scales } from "#quant/scales";
import { codeRange, dtype, type DTypeName } from "#quant/dtype";
import { forEachRun, type Granularity, parameterShape } from "#quant/granularity";
import { stretches } from "#quant/stretches";

export interface Affine {
  readonly kind: "affine";
  readonly dtype: DTypeName;
  readonly granularity: Granularity;
  /** One per parameter (see `parameterShape`); finite, and never 0. */
  readonly scale: Float32Array;
  /** One per parameter; null when all are 0. */
  readonly zeroPoint: Int32Array | null;
  /** Where scales are not stored as float32: how. Its values, times its outer ones, are `scale`. */
  readonly storedScale?: Scales;
}

export interface AffineOptions {
  readonly symmetric: boolean;
  /** Symmetric codes use the lowest one too: s = max|·| / 2ᵇ⁻¹, and a positive extreme clips by one step. Default false. */
  readonly full?: boolean;
  /** Scales are rounded up to powers of two: multiplying with them is a shift. Default false. */
  readonly powerOfTwo?: boolean;
  /** One bit less, for pair sums that saturate. Default false. */
  readonly reduced?: boolean;
}

/** From this magnitude on a number is no signal: the masks of attention hold the least float32, or −∞. Codes for it would leave none for the rest. */
export const endless = 1e30;

/** Smallest normal float32: below it 1/s is infinite and kernels flush to zero. */
const smallestNormal = 1.1754943508222875e-38;
/** Codes reach beyond a range, to four times its larger end where scales are powers of two; up to here they decode to finite numbers. */
const largestEnd = 2 ** 125;

/** Codes that may be emitted: see `codeRange`. */
export function affineCodes(
  name: DTypeName,
  { symmetric, full, reduced }: AffineOptions,
): { readonly min: number; readonly max: number } {
  return codeRange(dtype(name), symmetric && full !== true, reduced);
}

/**
 * Scale and zero point that span [low, high]; the span is widened to contain 0, which stays exactly representable.
 * Symmetric: s = max|·| / qmax, z = 0 (unsigned dtypes: z = mid-code). Asymmetric: s = (high − low)/(qmax − qmin),
 * z = roundHalfEven(qmin − low/s) (Jacob et al. 2018, eq. 1). A range without extent gives s = 1 and z at zero's usual place.
 *
 * Ends beyond ±2¹²⁵ are taken there. One bit has two codes, and one of them is 0: the other is the end of greater magnitude, whatever its sign.
 */
export function affineFromRange(low: number, high: number, name: DTypeName, options: AffineOptions): ScaleAndZeroPoint {
  return affineFitter(name, options)(low, high);
}

/** `affineFromRange` for many ranges. */
export function affineFitter(
  name: DTypeName,
  options: AffineOptions,
): (low: number, high: number) => ScaleAndZeroPoint {
  const { bits, signed } = dtype(name);
  const { min, max } = affineCodes(name, options);
  const middle = signed ? 0 : (max + 1) / 2;
  const steps = options.symmetric ? (options.full === true ? middle - min : max - middle) : max - min;
  return (low, high) => {
    if (!Number.isFinite(low) || !Number.isFinite(high) || low > high)
      throw new LowbitError("quant/range", `[${low}, ${high}] is not a range`);
    const lo = Math.max(Math.min(low, 0), -largestEnd);
    const hi = Math.min(Math.max(high, 0), largestEnd);
    const largest = Math.max(-lo, hi);
    if (bits === 1) return { scale: usableScale(largest, options), zeroPoint: hi >= -lo ? min : max };
    if (options.symmetric) return { scale: usableScale(largest / steps, options), zeroPoint: middle };
    if (largest === 0) return { scale: 1, zeroPoint: 0 };
    const scale = usableScale((hi - lo) / steps, options);
    return { scale, zeroPoint: Math.max(min, Math.min(max, roundHalfEven(min - lo / scale))) };
  };
}

export interface ScaleAndZeroPoint {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** The float32 that serves as a step: 1 for a range without extent, else normal and finite. */
function usableScale(step: number, { powerOfTwo }: AffineOptions): number {
  if (step === 0) return 1;
  const scale = Math.max(Math.fround(step), smallestNormal);
  if (powerOfTwo !== true) return scale;
  const below = 2 ** exponentOf(scale);
  return below === scale ? scale : below * 2;
}

/** Least and greatest value of each parameter's elements; NaN and infinities are refused with their index. */
export function extremes(
  x: Float32Array,
  shape: readonly number[],
  granularity: Granularity,
): { readonly low: Float32Array; readonly high: Float32Array } {
  const count = parameterShape(shape, granularity).reduce((size, dim) => size * dim, 1);
  const low = new Float32Array(count).fill(Number.POSITIVE_INFINITY);
  const high = new Float32Array(count).fill(Number.NEGATIVE_INFINITY);
  const kernels = sharedKernels();
  for (const { first, length, run, parameter, parameters } of stretches(shape, granularity)) {
    const [lows, highs] = [new Float32Array(parameters), new Float32Array(parameters)];
    kernels.extremes(x.subarray(first, first + length), run, lows, highs);
    for (let i = 0, to = parameter; i < parameters; i++, to++) {
      // NaN where a value is not finite
      if (Number.isNaN(lows[i])) refuseNonFinite(x);
      if (lows[i] < low[to]) low[to] = lows[i];
      if (highs[i] > high[to]) high[to] = highs[i];
    }
  }
  for (let i = 0; i < count; i++) {
    if (low[i] > high[i]) low[i] = high[i] = 0;
  }
  return { low, high };
}

/** Throws `quant/non-finite` naming how many values are NaN or infinite and where the first is. */
export function refuseNonFinite(x: Float32Array): void {
  let count = 0;
  let first = -1;
  for (let i = 0; i < x.length; i++) {
    if (x[i] - x[i] === 0) continue;
    count++;
    if (first < 0) first = i;
  }
  if (count === 0) return;
  throw new LowbitError(
    "quant/non-finite",
    `${count} of ${x.length} values are NaN or infinite; the first, ${x[first]}, at index ${first}`,
    {
      hint: "repair the weights in training, or keep this layer in float (--keep)",
    },
  );
}

/** Fits min/max parameters to weights. */
export function fitAffine(
  x: Float32Array,
  shape: readonly number[],
  name: DTypeName,
  granularity: Granularity,
  options: AffineOptions,
): Affine {
  return affineFromRanges(extremes(x, shape, granularity), name, granularity, options);
}

/** `affineFromRange` of each parameter's range. */
export function affineFromRanges(
  { low, high }: { readonly low: ArrayLike<number>; readonly high: ArrayLike<number> },
  name: DTypeName,
  granularity: Granularity,
  options: AffineOptions,
): Affine {
  const scale = new Float32Array(low.length);
  const zeroPoint = new Int32Array(low.length);
  const fit = affineFitter(name, options);
  for (let i = 0; i < low.length; i++) {
    const fitted = fit(low[i], high[i]);
    scale[i] = fitted.scale;
    zeroPoint[i] = fitted.zeroPoint;
  }
  return {
    kind: "affine",
    dtype: name,
    granularity,
    scale,
    zeroPoint: zeroPoint.some((z) => z !== 0) ? zeroPoint : null,
    ...(options.powerOfTwo === true ? { storedScale: { granularity, values: scale, dtype: "float8e8m0" } } : {}),
  };
}

/** Codes of `x`, one per element. `symmetric` excludes the lowest signed code, unless `full`. */
export function encodeAffine(
  x: Float32Array,
  shape: readonly number[],
  decoding: Affine,
  options: AffineOptions,
): Int32Array {
  const { min, max } = affineCodes(decoding.dtype, options);
  const codes = new Int32Array(x.length);
  const { scale, zeroPoint } = decoding;
  const kernels = sharedKernels();
  for (const { first, length, run, parameter, parameters } of stretches(shape, decoding.granularity)) {
    const own = {
      scale: scale.subarray(parameter, parameter + parameters),
      zeroPoint: zeroPoint && zeroPoint.subarray(parameter, parameter + parameters),
    };
    const part = codes.subarray(first, first + length);
    kernels.quantizeAffine(x.subarray(first, first + length), { ...own, run, min, max }, part);
  }
  return codes;
}

/** x̂ = (q − z)·s, in float32. */
export function decodeAffine(codes: ArrayLike<number>, shape: readonly number[], decoding: Affine): Float32Array {
  const out = new Float32Array(codes.length);
  forEachRun(shape, decoding.granularity, (index, offset, step, length) => {
    const s = decoding.scale[index];
    const z = decoding.zeroPoint === null ? 0 : decoding.zeroPoint[index];
    for (let k = 0, i = offset; k < length; k++, i += step) out[i] = (codes[i] - z) * s;
  });
  return out;
}
