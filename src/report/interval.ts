/**
 * What a number of samples can tell. An accuracy counted on 200 images is known to about ±6 points; a report that
 * hides this turns noise into news.
 */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Standard normal quantile of 97.5 %: intervals hold the truth 95 times in 100. */
const z = 1.959963984540054;

/**
 * The 95 % interval of a share counted on `samples` samples (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927). Unlike the
 * textbook p ± z·√(p(1−p)/n) it stays within 0–1 and is right for shares near the ends and for few samples. No
 * samples: 0–1.
 */
export function wilsonInterval(share: number, samples: number): Interval {
  if (!(samples > 0) || !(share >= 0 && share <= 1)) return { low: 0, high: 1 };
  const z2 = z * z;
  const centre = (share + z2 / (2 * samples)) / (1 + z2 / samples);
  const half = (z / (1 + z2 / samples)) * Math.sqrt((share * (1 - share)) / samples + z2 / (4 * samples * samples));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/**
 * Half the 95 % interval of a drop in top-1 accuracy, from above. Both models answer the same samples, so only those
 * can contribute on which their answers differ: the variance of the drop is (d − drop²)/n with d ≤ 1 − agreement
 * (McNemar's setting). Taken at the upper Wilson bound of 1 − agreement, so that full agreement on few samples is not
 * read as certainty.
 */
export function dropMargin(drop: number, agreement: number, samples: number): number {
  const differ = wilsonInterval(1 - agreement, samples).high;
  return samples > 0 ? z * Math.sqrt(Math.max(0, differ - drop * drop) / samples) : 1;
}
