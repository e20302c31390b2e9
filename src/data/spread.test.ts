import { describe, expect, test } from "vitest";
import { spread, take, without } from "#data/spread";
import type { Dataset } from "#data/types";

describe("choosing samples", () => {
  // numpy.linspace(0, length - 1, n).astype(int), NumPy 2.4
  test.each([
    [500, 10, [0, 55, 110, 166, 221, 277, 332, 388, 443, 499]],
    [10, 4, [0, 3, 6, 9]],
    [7, 3, [0, 3, 6]],
    [1000, 7, [0, 166, 333, 499, 666, 832, 999]],
    [5, 5, [0, 1, 2, 3, 4]],
    [9, 1, [0]],
  ])("%i samples: %i spread evenly are NumPy's", (length, n, picked) => {
    expect(spread(length, n)).toEqual(picked);
  });

  test("never picks one twice, and always the first and the last", () => {
    for (let length = 2; length < 120; length++)
      for (let n = 2; n <= length; n++) {
        const picked = spread(length, n);
        expect(new Set(picked).size).toBe(n);
        expect([picked[0], picked[n - 1]]).toEqual([0, length - 1]);
      }
  });

  test("asking for more than there are gives all", () => {
    expect(spread(3, 100)).toEqual([0, 1, 2]);
  });

  test.each([0, -1, 1.5, Number.NaN])("%s samples are refused", (n) => {
    expect(() => spread(10, n)).toThrow(expect.objectContaining({ code: "usage/argument" }));
  });

  test("calibration and evaluation share no sample and miss none", () => {
    const picked = spread(50, 8);
    const rest = without(50, picked);
    expect([...picked, ...rest].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  test("a choice of samples is a data set", async () => {
    const all: Dataset = {
      name: "all",
      kind: "arrays",
      length: 9,
      labelled: false,
      diagnostics: [],
      sample: async (index) => ({ inputs: {}, id: `all#${index}` }),
    };
    const some = take(all, [2, 7]);
    expect(some.length).toBe(2);
    expect((await some.sample(1)).id).toBe("all#7");
  });
});
