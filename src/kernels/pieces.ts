/** How runs of numbers that share a parameter are cut into what a kernel takes at once. */
export interface Runs {
  readonly runs: number;
  /** Numbers in each. */
  readonly run: number;
  /** Numbers that a kernel takes at most. */
  readonly tile: number;
  /** Numbers that a run of a kernel must have at least. */
  readonly least: number;
}

/**
 * Calls `visit` for pieces that together cover all runs, in order. A piece is `runs` runs from run `index` on, or a part of run
 * `index` (runs = 1): `runs`·`length` numbers from number `first` on. `enough` tells whether `length` is at least the least.
 */
export function forEachPiece(
  { runs, run, tile, least }: Runs,
  visit: (index: number, runs: number, first: number, length: number, enough: boolean) => void,
): void {
  if (run === 0) return;
  if (run <= tile) {
    const most = Math.floor(tile / run);
    for (let r = 0; r < runs; r += most) visit(r, Math.min(most, runs - r), r * run, run, run >= least);
    return;
  }
  for (let r = 0; r < runs; r++) {
    for (let first = r * run, end = first + run; first < end; first += tile) {
      const length = Math.min(tile, end - first);
      visit(r, 1, first, length, length >= least);
    }
  }
}
