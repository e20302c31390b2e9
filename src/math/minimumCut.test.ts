import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CutProblem } from "#math/minimumCut";

test("the cut costs what the best of all divisions costs, on every small graph", () => {
  const cost = fc.integer({ min: 0, max: 20 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }).chain((n) =>
        fc.record({
          n: fc.constant(n),
          source: fc.array(cost, { minLength: n, maxLength: n }),
          sink: fc.array(cost, { minLength: n, maxLength: n }),
          pairs: fc.array(fc.tuple(fc.nat(n - 1), fc.nat(n - 1), cost), { maxLength: 12 }),
        }),
      ),
      ({ n, source, sink, pairs }) => {
        const problem = new CutProblem();
        const vertices = Array.from({ length: n }, () => problem.vertex());
        for (let i = 0; i < n; i++) {
          problem.edge(CutProblem.source, vertices[i], sink[i]); // paid when i is on the sink's side
          problem.edge(vertices[i], CutProblem.sink, source[i]);
        }
        for (const [a, b, c] of pairs) problem.edge(vertices[a], vertices[b], c);
        const price = (inSink: (i: number) => boolean): number => {
          let sum = 0;
          for (let i = 0; i < n; i++) sum += inSink(i) ? sink[i] : source[i];
          for (const [a, b, c] of pairs) if (!inSink(a) && inSink(b)) sum += c;
          return sum;
        };
        let least = Number.POSITIVE_INFINITY;
        for (let mask = 0; mask < 2 ** n; mask++)
          least = Math.min(
            least,
            price((i) => ((mask >> i) & 1) === 1),
          );
        const solved = problem.solve();
        expect(solved.cost).toBeCloseTo(least, 9);
        expect(price((i) => solved.sinkSide[vertices[i]])).toBeCloseTo(least, 9);
      },
    ),
  );
});

test("a chain of 50,000 vertices is cut without exhausting the stack", () => {
  const problem = new CutProblem();
  let last: number = CutProblem.source;
  for (let i = 0; i < 50_000; i++) {
    const vertex = problem.vertex();
    problem.edge(last, vertex, i === 25_000 ? 1 : 5);
    last = vertex;
  }
  problem.edge(last, CutProblem.sink, 5);
  expect(problem.solve().cost).toBe(1);
});
