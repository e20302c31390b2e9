/**
 * Finds room for labels near their points, so that a chart needs no legend: each takes the first free place below,
 * beside or above its point. Greedy, in a few orders, of which the one wins that leaves out the fewest labels.
 */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** A line from a point to its label may pass here, though no label may stand. */
  readonly crossable?: boolean;
}

export interface LabelRequest {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** Where the text starts (its left end) and stands (its baseline), and whether a line should lead to it. */
export interface LabelPlace {
  readonly x: number;
  readonly y: number;
  readonly leader: boolean;
}

/** A place for each request, or undefined where there is no room. */
export function placeLabels(
  requests: readonly LabelRequest[],
  obstacles: readonly Box[],
  room: Box,
): (LabelPlace | undefined)[] {
  const order = requests.map((_, i) => i);
  const rightward = [...order].sort((a, b) => requests[a].x - requests[b].x);
  let best: (LabelPlace | undefined)[] = [];
  let most = -1;
  for (const turns of [order, rightward, [...rightward].reverse()]) {
    for (const shifts of [centred, endingAtPoint, startingAtPoint]) {
      const places = attempt(requests, turns, shifts, obstacles, room);
      const count = places.filter((place) => place !== undefined).length;
      if (count > most) {
        best = places;
        most = count;
      }
    }
  }
  return best;
}

/** Shares of a label that stand left of its point, in the order they are tried. */
const centred = [0.5, 0, 1, 0.25, 0.75];
const endingAtPoint = [1, 0.75, 0.5, 0.25, 0];
const startingAtPoint = [0, 0.25, 0.5, 0.75, 1];

function attempt(
  requests: readonly LabelRequest[],
  turns: readonly number[],
  shifts: readonly number[],
  obstacles: readonly Box[],
  room: Box,
): (LabelPlace | undefined)[] {
  const taken = [...obstacles];
  const places: (LabelPlace | undefined)[] = requests.map(() => undefined);
  for (const turn of turns) {
    const { x, y, width } = requests[turn];
    for (const { left, baseline } of candidates(x, y, width, shifts)) {
      const label = { left, top: baseline - 10, right: left + width, bottom: baseline + 4 };
      const leads = baseline - y > nearest;
      const leader = { left: x - 1, top: y + 7, right: x + 1, bottom: label.top, crossable: true };
      const blocked = taken.some(
        (box) => overlap(label, box) || (leads && box.crossable !== true && overlap(leader, box)),
      );
      if (blocked || !inside(label, room)) continue;
      taken.push(label, ...(leads ? [leader] : []));
      places[turn] = { x: left, y: baseline, leader: leads };
      break;
    }
  }
  return places;
}

/** Baseline of a label directly below its point. */
const nearest = 19;

/** Below, on either side, farther below in small steps, above. */
function* candidates(
  x: number,
  y: number,
  width: number,
  shifts: readonly number[],
): Generator<{ left: number; baseline: number }> {
  const row = (baseline: number) => shifts.map((shift) => ({ left: x - shift * width, baseline }));
  yield* row(y + nearest);
  yield { left: x + 10, baseline: y + 4 };
  yield { left: x - width - 10, baseline: y + 4 };
  for (let below = 5; below <= 80; below += 5) yield* row(y + nearest + below);
  yield* row(y - 10);
}

function inside(box: Box, room: Box): boolean {
  return box.left >= room.left && box.right <= room.right && box.top >= room.top && box.bottom <= room.bottom;
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
