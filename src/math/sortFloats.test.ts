import * as fc from "fast-check";
import { expect, test } from "vitest";
import { sortFloats } from "#math/sortFloats";

const floats = fc.oneof(
  fc.float32Array({ noNaN: true, maxLength: 300 }),
  // many equal ones
  fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 100, maxLength: 300 }).map((list) => Float32Array.from(list)),
);

test("floats come out as the language's own sort orders them, and the input stays as it was", () => {
  fc.assert(
    fc.property(floats, (values) => {
      const before = values.slice();
      // −0 and 0 are one number here: a short list keeps them in the order in which they came
      expect(Array.from(sortFloats(values).values, plain)).toEqual(Array.from(values.slice().sort(), plain));
      expect(values).toEqual(before);
    }),
  );
});

test("companions stay with their numbers, in the order in which they came", () => {
  fc.assert(
    fc.property(floats, (values) => {
      const places = values.map((_, i) => i);
      const sorted = sortFloats(values, places);
      const expected = [...places].sort((a, b) => values[a] - values[b] || a - b);
      expect(sorted.companions?.length).toBe(values.length);
      expect(Array.from(sorted.companions ?? [], (i) => plain(values[i]))).toEqual(Array.from(sorted.values, plain));
      if (values.every(Number.isFinite) && !values.some((v) => Object.is(v, -0)))
        expect(Array.from(sorted.companions ?? [])).toEqual(expected);
    }),
  );
});

function plain(value: number): number {
  return value + 0;
}
