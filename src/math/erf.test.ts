import { describe, expect, test } from "vitest";
import { erf } from "#math/erf";

/** Python's math.erf. */
const golden = [
  [0, 0],
  [1e-10, 1.1283791670955126e-10],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [-2, -0.9953222650189527],
  [2.9999, 0.9999778955735178],
  [3.5, 0.9999992569016276],
  [5, 0.9999999999984626],
  [-7, -1],
];

describe("the error function", () => {
  test.each(golden)("erf %d is %d", (x, y) => {
    expect(Math.abs(erf(x) - y)).toBeLessThanOrEqual(4e-16 + 4e-15 * Math.abs(y));
  });

  test("NaN and infinities have their limits", () => {
    expect([erf(Number.NaN), erf(Number.POSITIVE_INFINITY), erf(Number.NEGATIVE_INFINITY)]).toEqual([
      Number.NaN,
      1,
      -1,
    ]);
  });
});
