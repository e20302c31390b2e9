/**
 * Layers in integers only (Jacob et al. 2018, arXiv 1712.05877, §2.2–2.4). With r = s·(q − z) for inputs x, weights w and outputs y,
 *
 *   q_y = z_y + M·( Σ q_w·q_x − z_w·Σ q_x + Q_bias ),   M = s_w·s_x / s_y,   Q_bias = q_b − z_x·Σ q_w + K·z_w·z_x
 *
 * where q_b = round(b / (s_w·s_x)) and sums go over the K inputs. All that does not depend on the input is folded into Q_bias when
 * the layer is made; symmetric weights (z_w = 0) leave one product and one addition. Sums are int32, and M is fixed-point.
 */
import { LowbitError } from "#base/errors";
import { type FixedPoint, fixedPoint, type FixedPointRounding, multiplyByFixedPoint } from "#math/fixedPoint";
import { roundHalfEven } from "#math/round";
import { codeRange, dtype, type IntegerDType } from "#quant/dtype";
import type { QTensor } from "#quant/qtensor";

/** How a layer's inputs or outputs are coded: r = scale·(q − zeroPoint). */
export interface ActivationCodes {
  readonly dtype: IntegerDType;
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface IntegerLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs, inputs]. */
  readonly codes: ArrayLike<number>;
  /** z_w, one an output. */
  readonly zeroPoints: Int32Array;
  /** Q_bias, one an output. */
  readonly bias: Int32Array;
  /** M, one an output. */
  readonly multipliers: readonly FixedPoint[];
  readonly output: ActivationCodes;
}

/**
 * Folds a linear layer, y = W·x + b. W [outputs, inputs] has one scale, or one an output. Throws quant/scheme for other weights, and
 * quant/range where a sum could overflow int32 or M is out of reach.
 */
export function integerLayer(
  weights: QTensor,
  bias: ArrayLike<number> | undefined,
  input: ActivationCodes,
  output: ActivationCodes,
): IntegerLayer {
  const { rows: outputs, columns: inputs, codes, decoding, rotation } = weights;
  if (decoding.kind !== "affine" || rotation !== undefined || !sharedByOutput(decoding.granularity))
    throw new LowbitError("quant/scheme", `integer arithmetic cannot compute on weights as ${weights.scheme}`, {
      hint: "take linear codes with a scale per tensor or channel, for example int8/channel",
    });
  const { scale, zeroPoint } = decoding;
  const of = <T>(values: ArrayLike<T>, output: number): T => values[values.length === 1 ? 0 : output];
  const range = codeRange(dtype(input.dtype), false);
  const farthest = Math.max(range.max - input.zeroPoint, input.zeroPoint - range.min);
  const zeroPoints = Int32Array.from({ length: outputs }, (_, o) => (zeroPoint === null ? 0 : of(zeroPoint, o)));
  const folded = Int32Array.from({ length: outputs }, (_, o) => {
    let sum = 0;
    let reach = 0;
    for (let k = 0, at = o * inputs; k < inputs; k++, at++) {
      sum += codes[at];
      reach += Math.abs(codes[at] - zeroPoints[o]);
    }
    const b = bias === undefined ? 0 : roundHalfEven(bias[o] / (of(scale, o) * input.scale));
    if (reach * farthest + Math.abs(b) > 2147483647)
      throw new LowbitError("quant/range", `the sums of output ${o} over ${inputs} inputs may overflow int32`, {
        hint: "use fewer bits, or a larger scale where the bias is much larger than the products",
      });
    return b - input.zeroPoint * sum + inputs * zeroPoints[o] * input.zeroPoint;
  });
  const multipliers = Array.from({ length: outputs }, (_, o) =>
    fixedPoint((of(scale, o) * input.scale) / output.scale),
  );
  return { inputs, outputs, codes, zeroPoints, bias: folded, multipliers, output };
}

/** Σ (q_w − z_w)·(q_x − z_x) + q_b, [samples, outputs], of input codes [samples, inputs]. */
export function integerSums(layer: IntegerLayer, x: ArrayLike<number>): Int32Array {
  const { inputs, outputs, codes, zeroPoints, bias } = layer;
  const samples = x.length / inputs;
  const out = new Int32Array(samples * outputs);
  for (let s = 0; s < samples; s++) {
    let all = 0;
    for (let k = 0; k < inputs; k++) all += x[s * inputs + k];
    for (let o = 0; o < outputs; o++) {
      // each step wraps at 32 bits as hardware does; that the sum fits was seen when the layer was made
      let sum = (bias[o] - Math.imul(zeroPoints[o], all)) | 0;
      for (let k = 0; k < inputs; k++) sum = (sum + Math.imul(codes[o * inputs + k], x[s * inputs + k])) | 0;
      out[s * outputs + o] = sum;
    }
  }
  return out;
}

/** Output codes [samples, outputs] of input codes [samples, inputs], in integers only. */
export function runIntegerLayer(
  layer: IntegerLayer,
  x: ArrayLike<number>,
  rounding: FixedPointRounding = "single",
): Int32Array {
  const { outputs, multipliers, output } = layer;
  const { min, max } = codeRange(dtype(output.dtype), false);
  return integerSums(layer, x).map((sum, at) => {
    const q = multiplyByFixedPoint(sum, multipliers[at % outputs], rounding) + output.zeroPoint;
    return q < min ? min : q > max ? max : q;
  });
}

function sharedByOutput(granularity: { readonly per: string; readonly axis?: number }): boolean {
  return granularity.per === "tensor" || (granularity.per === "channel" && granularity.axis === 0);
}
