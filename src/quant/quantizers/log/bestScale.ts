import { firstAbove, type SortedPoints, totalOf } from "#quant/sortedPoints";

/** 2^(−1/8): eight scales tried an octave, so that none of the humps of the error, an octave wide for powers of two, is missed. */
const step = 0.9170040432046712;
/** From √2 times the greatest magnitude down to 1/200 of it. */
const tries = 66;

/**
 * The scale s with the least Σ h·(|w| − s·level)², each |w| at its nearest level: the best of a grid, then alternately nearest levels
 * for the scale and least squares for the scale, s = Σ h·|w|·level / Σ h·level², until nothing moves. Each trial takes a binary search a
 * level, however many points there are. `levels` ascend from 0 to 1. 0 for points that are all 0, and for none.
 */
export function bestScale(magnitudes: SortedPoints, levels: readonly number[]): number {
  const n = magnitudes.values.length;
  if (n === 0) return 0;
  const atScale = (scale: number): { readonly gain: number; readonly better: number } => {
    let first = 0;
    let product = 0;
    let square = 0;
    levels.forEach((level, k) => {
      const end = k + 1 < levels.length ? firstAbove(magnitudes, (scale * (level + levels[k + 1])) / 2, first) : n;
      product += level * totalOf(magnitudes, first, end);
      square += level * level * (magnitudes.weight[end] - magnitudes.weight[first]);
      first = end;
    });
    // by how much Σ h·w² is reduced
    return { gain: scale * (2 * product - scale * square), better: square === 0 ? scale : product / square };
  };
  let scale = magnitudes.values[n - 1] * Math.SQRT2;
  let best = { scale, ...atScale(scale) };
  for (let i = 1; i < tries; i++) {
    scale *= step;
    const tried = atScale(scale);
    if (tried.gain > best.gain) best = { scale, ...tried };
  }
  for (;;) {
    const next = atScale(best.better);
    if (!(next.gain > best.gain)) return best.scale;
    best = { scale: best.better, ...next };
  }
}
