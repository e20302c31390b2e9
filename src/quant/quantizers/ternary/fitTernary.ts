/** Where weights become 0, and what the others become: ŵ = −low, 0 or high. */
import { firstAbove, type SortedPoints, sortedPoints, totalOf } from "#quant/sortedPoints";

export type Threshold =
  /** Δ = t·mean|w|: TWN, t = 0.7. */
  | { readonly by: "mean"; readonly t: number }
  /** Δ = t·max|w|: TTQ, t = 0.05. */
  | { readonly by: "max"; readonly t: number }
  /** The Δ of the least squared error. */
  | { readonly by: "optimal" };

export interface TernaryFit {
  /** Below −low.above: −low.scale. Greater than high.above: high.scale. Else 0. */
  readonly low: Side;
  readonly high: Side;
}

interface Side {
  readonly above: number;
  readonly scale: number;
}

/** Li et al. 2016: one scale, mean|w| over |w| > Δ. */
export function fitOneScale(x: Float32Array, importance: Float32Array | undefined, threshold: Threshold): TernaryFit {
  const side = fitSide(sortedPoints(x.map(Math.abs), importance), threshold);
  return { low: side, high: side };
}

/** Zhu et al. 2017: a scale for each sign, each the mean of its weights beyond Δ; an optimal Δ is one of its own for each. */
export function fitTwoScales(x: Float32Array, importance: Float32Array | undefined, threshold: Threshold): TernaryFit {
  const negative = ofSign(x, importance, -1);
  const positive = ofSign(x, importance, 1);
  if (threshold.by === "optimal") return { low: fitSide(negative, threshold), high: fitSide(positive, threshold) };
  const above = thresholdOf(sortedPoints(x.map(Math.abs), importance), threshold);
  const side = (points: SortedPoints): Side => ({ above, scale: meanFrom(points, firstAbove(points, above)) });
  return { low: side(negative), high: side(positive) };
}

/** Magnitudes of the numbers of one sign. */
function ofSign(x: Float32Array, importance: Float32Array | undefined, sign: number): SortedPoints {
  const chosen = (_: number, i: number): boolean => x[i] * sign > 0;
  return sortedPoints(x.filter(chosen).map(Math.abs), importance?.filter(chosen));
}

/** Ma et al. 2024 (BitNet b1.58): clip(round(w/γ), −1, 1)·γ with γ = mean|w|. */
export function fitAbsMean(x: Float32Array, importance: Float32Array | undefined): TernaryFit {
  const magnitudes = sortedPoints(x.map(Math.abs), importance);
  const scale = meanFrom(magnitudes, 0);
  // rounding is half to even, so exactly half of γ is 0
  const side = { above: scale / 2, scale };
  return { low: side, high: side };
}

function fitSide(magnitudes: SortedPoints, threshold: Threshold): Side {
  const above = thresholdOf(magnitudes, threshold);
  return { above, scale: meanFrom(magnitudes, firstAbove(magnitudes, above)) };
}

function thresholdOf(magnitudes: SortedPoints, threshold: Threshold): number {
  const { values, weight } = magnitudes;
  const n = values.length;
  if (n === 0) return 0;
  switch (threshold.by) {
    case "mean":
      return threshold.t * meanFrom(magnitudes, 0);
    case "max":
      return threshold.t * values[n - 1];
    case "optimal": {
      // with the greatest kept and α their mean, Σ h·w² shrinks by (Σ h·|w|)² / Σ h over those kept
      let first = 0;
      let most = 0;
      for (let i = 0; i < n; i++) {
        const total = totalOf(magnitudes, i, n);
        const gain = (total * total) / (weight[n] - weight[i]);
        if (gain > most) {
          most = gain;
          first = i;
        }
      }
      return first === 0 ? 0 : values[first - 1];
    }
  }
}

/** Mean of the points from `first` on; 0 when there are none. */
function meanFrom(points: SortedPoints, first: number): number {
  const n = points.values.length;
  return first >= n ? 0 : totalOf(points, first, n) / (points.weight[n] - points.weight[first]);
}
