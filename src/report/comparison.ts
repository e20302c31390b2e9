import { formatRatio } from "#report/format";

/** Differences below 2 % are noise in times, and nothing to speak of in sizes. */
const noise = 0.02;

/** The words of one quantity: what more of it is called, what less, and what neither. */
export interface ComparisonWords {
  readonly more: string;
  readonly less: string;
  readonly same: string;
}

export const speedWords: ComparisonWords = { more: "faster", less: "slower", same: "as fast" };
export const sizeWords: ComparisonWords = { more: "smaller", less: "larger", same: "the same size" };
export const savingWords: ComparisonWords = { more: "less", less: "more", same: "the same" };

/**
 * A ratio in words, so that nobody has to know which way it was divided. → 1.42 → "1.42× faster", 0.5 → "2.00×
 * slower"
 */
export function compared(ratio: number, words: ComparisonWords): string {
  if (!(ratio > 0) || !Number.isFinite(ratio)) return "not comparable";
  if (isLess(ratio)) return `${formatRatio(1 / ratio)} ${words.less}`;
  return ratio <= 1 / (1 - noise) ? words.same : `${formatRatio(ratio)} ${words.more}`;
}

/** Whether the ratio is below one by more than noise: slower, larger. */
export function isLess(ratio: number): boolean {
  return ratio < 1 - noise;
}
