/**
 * The cheapest division of a graph's vertices into two sides, source and sink (Dinic 1970: blocking flows on level graphs;
 * max-flow = min-cut). Exact for any choice of "one of two states per vertex" whose pairwise costs are paid when states differ.
 */
export class CutProblem {
  readonly #head: number[] = [];
  // edges in pairs: e and e^1 are each other's reverse
  readonly #to: number[] = [];
  readonly #capacity: number[] = [];
  readonly #next: number[] = [];

  constructor() {
    this.vertex(); // source
    this.vertex(); // sink
  }

  static readonly source = 0;
  static readonly sink = 1;

  vertex(): number {
    this.#head.push(-1);
    return this.#head.length - 1;
  }

  /** Costs `cost` when `from` ends on the source's side and `to` on the sink's. Infinite forbids that. */
  edge(from: number, to: number, cost: number): void {
    this.#arc(from, to, cost);
    this.#arc(to, from, 0);
  }

  #arc(from: number, to: number, capacity: number): void {
    this.#to.push(to);
    this.#capacity.push(capacity);
    this.#next.push(this.#head[from]);
    this.#head[from] = this.#to.length - 1;
  }

  /** For each vertex, whether it is on the sink's side in a cheapest cut; of several, the one with the fewest sink vertices. */
  solve(): { readonly cost: number; readonly sinkSide: readonly boolean[] } {
    let cost = 0;
    for (;;) {
      const level = this.#levels(CutProblem.source, false);
      if (level[CutProblem.sink] < 0) break;
      const edge = [...this.#head];
      for (let pushed = this.#augment(level, edge); pushed > 0; pushed = this.#augment(level, edge)) cost += pushed;
    }
    // what still reaches the sink must be on its side; everything else may stay with the source
    const level = this.#levels(CutProblem.sink, true);
    return { cost, sinkSide: level.map((l) => l >= 0) };
  }

  /** Distance of each vertex from `start` along edges with capacity left (against them when `reverse`); −1 if out of reach. */
  #levels(start: number, reverse: boolean): number[] {
    const level = this.#head.map(() => -1);
    level[start] = 0;
    const queue = [start];
    for (let i = 0; i < queue.length; i++) {
      for (let e = this.#head[queue[i]]; e >= 0; e = this.#next[e]) {
        if (this.#capacity[reverse ? e ^ 1 : e] > epsilon && level[this.#to[e]] < 0) {
          level[this.#to[e]] = level[queue[i]] + 1;
          queue.push(this.#to[e]);
        }
      }
    }
    return level;
  }

  /** One path of the level graph, found with a stack of its own so that long chains cannot overflow the engine's. */
  #augment(level: readonly number[], edge: number[]): number {
    const path: number[] = [];
    let at: number = CutProblem.source;
    while (at !== CutProblem.sink) {
      while (edge[at] >= 0 && !(this.#capacity[edge[at]] > epsilon && level[this.#to[edge[at]]] === level[at] + 1))
        edge[at] = this.#next[edge[at]];
      if (edge[at] >= 0) {
        path.push(edge[at]);
        at = this.#to[edge[at]];
        continue;
      }
      const back = path.pop();
      if (back === undefined) return 0;
      at = this.#to[back ^ 1];
      edge[at] = this.#next[edge[at]];
    }
    const flow = Math.min(...path.map((e) => this.#capacity[e]));
    for (const e of path) {
      this.#capacity[e] -= flow;
      this.#capacity[e ^ 1] += flow;
    }
    return flow;
  }
}

/** Costs are measured in microseconds; differences below this are rounding. */
const epsilon = 1e-9;
