/** Greatest magnitude of each run of `run` neighbours. A run with NaN or an infinity has NaN; an empty run has 0. */
export function absmax(x: Float32Array, run: number, out: Float32Array): void {
  for (let r = 0, i = 0; r < out.length; r++) {
    let most = 0;
    let strange = 0;
    for (const end = i + run; i < end; i++) {
      const magnitude = Math.abs(x[i]);
      if (magnitude > most) most = magnitude;
      strange += magnitude - magnitude;
    }
    out[r] = strange === 0 ? most : Number.NaN;
  }
}
