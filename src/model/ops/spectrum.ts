/** The discrete Fourier transform by its definition, with one table of the roots of unity. */

export interface Transform {
  /** Length N of the transform; the signal is cut or continued with zeros. */
  readonly length: number;
  /** How many of the N results are wanted. */
  readonly bins: number;
  readonly inverse: boolean;
}

/** Where complex numbers are read or written: part p of element k is at first + k·step + p. */
export interface Place {
  readonly first: number;
  readonly step: number;
}

/** Writes X[k] = Σ x[n]·e^(−2πi·kn/N), or the inverse with +2πi and 1/N. `parts` 1: the signal is real. */
export function transformer({
  length,
  bins,
  inverse,
}: Transform): (
  x: ArrayLike<number>,
  from: Place & { readonly count: number; readonly parts: number },
  out: Float64Array,
  to: Place & { readonly parts: number },
) => void {
  const cosines = Float64Array.from({ length }, (_, i) => Math.cos((2 * Math.PI * i) / length));
  const sines = Float64Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * i) / length) * (inverse ? 1 : -1));
  const factor = inverse ? 1 / length : 1;
  return (x, from, out, to) => {
    const count = Math.min(from.count, length);
    for (let k = 0; k < bins; k++) {
      let [real, imaginary] = [0, 0];
      for (let n = 0, angle = 0; n < count; n++, angle = (angle + k) % length) {
        const at = from.first + n * from.step;
        const [re, im] = [x[at], from.parts === 2 ? x[at + 1] : 0];
        real += re * cosines[angle] - im * sines[angle];
        imaginary += re * sines[angle] + im * cosines[angle];
      }
      out[to.first + k * to.step] = real * factor;
      if (to.parts === 2) out[to.first + k * to.step + 1] = imaginary * factor;
    }
  };
}
