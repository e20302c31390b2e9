import { firstAbove, meanOf, type SortedPoints } from "#quant/sortedPoints";

/** Enough for anything seen; one round takes K binary searches, however many points there are. */
const maxRounds = 300;

/**
 * Lloyd's algorithm (1957/1982) on a line: each point goes to its nearest centroid, each centroid to the mean of its points, until
 * nothing moves. Finds a local optimum near where it starts. A centroid without points stays where it is.
 * `centroids` ascend; so does the result.
 */
export function lloyd(points: SortedPoints, centroids: Float64Array): Float64Array {
  const current = centroids.slice();
  for (let round = 0; round < maxRounds; round++) {
    let moved = false;
    let start = 0;
    for (let k = 0; k < current.length; k++) {
      // a point halfway belongs to the lower one
      const border = k + 1 < current.length ? (centroids[k] + centroids[k + 1]) / 2 : Number.POSITIVE_INFINITY;
      const end = firstAbove(points, border, start);
      if (end > start) {
        current[k] = meanOf(points, start, end);
        moved = moved || current[k] !== centroids[k];
      }
      start = end;
    }
    if (!moved) break;
    centroids = current.slice();
  }
  return current;
}
