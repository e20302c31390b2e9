/** How runs of numbers that share a parameter are cut into what a kernel takes at once. */
export interface Runs {
  readonly runs: number;
  /** Numbers in each. */
  readonly run: number;
  /** Numbers that a kernel takes at once. */
  readonly tile: number;
  /** Numbers that a kernel takes together: it works on multiples. */
  readonly step: number;
}

/**
 * Calls `visit` for pieces that together cover all runs, in order. A piece is `runs` runs from run `index` on, or a part of run
 * `index` (runs = 1): `runs`·`length` numbers from number `first` on. `whole` tells whether `length` is a multiple of the step;
 * where it is not, the piece is the last few numbers of a run, and shorter than a step.
 */
export function forEachPiece(
  { runs, run, tile, step }: Runs,
  visit: (index: number, runs: number, first: number, length: number, whole: boolean) => void,
): void {
  if (run % step === 0 && run <= tile) {
    const most = Math.max(1, Math.floor(tile / Math.max(1, run)));
    for (let r = 0; r < runs; r += most) visit(r, Math.min(most, runs - r), r * run, run, true);
    return;
  }
  const most = Math.floor(tile / step) * step;
  for (let r = 0; r < runs; r++) {
    for (let first = r * run, end = first + run; first < end; ) {
      const left = Math.min(most, end - first);
      const length = left < step ? left : left - (left % step);
      visit(r, 1, first, length, length % step === 0);
      first += length;
    }
  }
}
