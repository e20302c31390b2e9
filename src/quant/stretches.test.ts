import * as fc from "fast-check";
import { expect, test } from "vitest";
import { forEachRun, type Granularity } from "#quant/granularity";
import { stretches } from "#quant/stretches";

const shapes = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 2, maxLength: 3 });
const granularities = fc.oneof(
  fc.constant<Granularity>({ per: "tensor" }),
  fc.integer({ min: -1, max: 1 }).map((axis): Granularity => ({ per: "channel", axis })),
  fc
    .record({ axis: fc.integer({ min: -1, max: 1 }), size: fc.integer({ min: 1, max: 4 }) })
    .map(({ axis, size }): Granularity => ({ per: "group", axis, size })),
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
    .map((shape): Granularity => ({ per: "block", shape })),
);

test("stretches give each element the parameter that runs give it, once", () => {
  fc.assert(
    fc.property(shapes, granularities, (dims, granularity) => {
      const shape = granularity.per === "block" ? dims.slice(0, 2) : dims;
      const size = shape.reduce((product, dim) => product * dim, 1);
      const [byRuns, byStretches] = [Array<number>(size).fill(-1), Array<number>(size).fill(-1)];
      forEachRun(shape, granularity, (index, offset, step, count) => {
        for (let k = 0; k < count; k++) byRuns[offset + k * step] = index;
      });
      for (const { first, length, run, parameter, parameters } of stretches(shape, granularity)) {
        expect(length % (run * parameters)).toBe(0);
        for (let i = 0; i < length; i++) {
          expect(byStretches[first + i]).toBe(-1);
          byStretches[first + i] = parameter + (Math.floor(i / run) % parameters);
        }
      }
      expect(byStretches).toEqual(byRuns);
    }),
  );
});

test("what lies together is one stretch", () => {
  expect(stretches([4, 64], { per: "group", axis: 1, size: 32 })).toHaveLength(1);
  expect(stretches([64, 4], { per: "group", axis: 0, size: 32 })).toHaveLength(2);
  expect(stretches([3, 4, 5], { per: "channel", axis: 1 })).toHaveLength(1);
  expect(stretches([4, 70], { per: "group", axis: 1, size: 32 })).toHaveLength(8);
});
