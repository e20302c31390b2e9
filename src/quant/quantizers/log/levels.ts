/** Magnitudes that logarithmic codes of b bits stand for: ascending, from 0 to 1; a sign takes the other bit. */

/** 0 and 1, 2⁻¹, 2⁻², … (Miyashita, Lee & Murmann 2016, arXiv 1603.01025, with a zero): 2ᵇ⁻¹ of them. */
export function powersOfTwo(bits: number): number[] {
  const count = 2 ** (bits - 1) - 1;
  return [0, ...Array.from({ length: count }, (_, i) => 2 ** (i + 1 - count))];
}

/** 0 and 1, 2^−½, 2⁻¹, … (the same with base √2): half the range, twice as dense. */
export function powersOfRootTwo(bits: number): number[] {
  const count = 2 ** (bits - 1) - 1;
  return [
    0,
    ...Array.from({ length: count }, (_, i) => {
      const halves = count - 1 - i;
      return 2 ** -Math.ceil(halves / 2) * (halves % 2 === 0 ? 1 : Math.SQRT2);
    }),
  ];
}

/**
 * Sums of powers of two (APoT: Li, Dong & Wang 2020, arXiv 1909.13144, §2, k = 2): n = ⌊(b − 1)/2⌋ terms of two bits, each 0 or one of
 * three powers, and one of one bit, 0 or a power, where b − 1 is odd; the powers 2⁻¹, 2⁻², … are dealt out in turn. Scaled to end at 1.
 * → 4 bits: (0, 1/2, 1/4, 1/16) + (0, 1/8), over 5/8
 */
export function additivePowersOfTwo(bits: number): number[] {
  const twoBit: number[][] = Array.from({ length: (bits - 1) >> 1 }, () => [0]);
  const oneBit: number[][] = (bits - 1) % 2 === 0 ? [] : [[0]];
  let power = 1;
  for (let deal = 0; deal < 3; deal++) {
    for (const term of deal < 2 ? twoBit : [...oneBit, ...twoBit]) term.push((power /= 2));
  }
  let sums = [0];
  for (const term of [...twoBit, ...oneBit]) sums = sums.flatMap((sum) => term.map((v) => sum + v));
  const largest = Math.max(...sums);
  return sums.map((sum) => sum / largest).sort((a, b) => a - b);
}
