import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeLabels } from "#report/charts/placeLabels";
import { decades, extent, linearScale, niceTicks } from "#report/charts/scale";
import { textWidth } from "#report/charts/textWidth";

describe("ticks", () => {
  test("are round", () => {
    expect(niceTicks(0, 14e6, 4)).toEqual([0, 5e6, 1e7]);
    expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks(-0.3, 0.3, 6)).toEqual([-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]);
    expect(niceTicks(5, 5, 4)).toEqual([5]);
    expect(niceTicks(0, Number.POSITIVE_INFINITY, 4)).toEqual([0]);
    expect(niceTicks(Number.NaN, 1, 4)).toEqual([]);
    expect(decades(1, 2000)).toEqual([1, 10, 100, 1000]);
  });

  test("lie inside, rise evenly, and are about as many as asked", () => {
    const magnitude = fc.double({ min: 1e-9, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(magnitude, fc.boolean(), fc.integer({ min: 2, max: 10 }), (high, symmetric, count) => {
        const low = symmetric ? -high : 0;
        const ticks = niceTicks(low, high, count);
        const slack = (high - low) * 1e-9;
        expect(ticks.length).toBeGreaterThanOrEqual(Math.floor(count / 2));
        expect(ticks.length).toBeLessThanOrEqual(count * 2 + 1);
        const step = ticks[1] - ticks[0];
        ticks.forEach((tick, i) => {
          expect(tick).toBeGreaterThanOrEqual(low - slack);
          expect(tick).toBeLessThanOrEqual(high + slack);
          if (i > 0) expect(tick - ticks[i - 1]).toBeCloseTo(step, -Math.log10(step) + 5);
        });
      }),
    );
  });
});

describe("scales", () => {
  test("map ends to ends, and an empty domain to the middle", () => {
    const scale = linearScale(0, 10, 100, 200);
    expect([0, 5, 10].map(scale)).toEqual([100, 150, 200]);
    expect(linearScale(3, 3, 0, 10)(3)).toBe(5);
  });

  test("an extent is of the numbers, however many", () => {
    const many = Array.from({ length: 300_000 }, (_, i) => i);
    expect(extent([...many, Number.NaN], -1)).toEqual({ low: -1, high: 299_999 });
  });
});

describe("labels", () => {
  const room = { left: 0, top: 0, right: 300, bottom: 200 };

  test("find room, inside the plot and apart from one another", () => {
    const point = fc.record({
      x: fc.integer({ min: 0, max: 300 }),
      y: fc.integer({ min: 0, max: 200 }),
      width: fc.integer({ min: 10, max: 120 }),
    });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 8 }), (points) => {
        const places = placeLabels(points, [], room);
        const boxes = places.flatMap((place, i) =>
          place === undefined
            ? []
            : [{ left: place.x, right: place.x + points[i].width, top: place.y - 10, bottom: place.y + 4 }],
        );
        for (const [i, a] of boxes.entries()) {
          expect(a.left >= 0 && a.right <= 300 && a.top >= 0 && a.bottom <= 200).toBe(true);
          for (const b of boxes.slice(i + 1))
            expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false);
        }
      }),
    );
  });

  test("stand below their point when nothing is there, and are left out when everything is taken", () => {
    expect(placeLabels([{ x: 150, y: 100, width: 60 }], [], room)).toEqual([{ x: 120, y: 119, leader: false }]);
    expect(placeLabels([{ x: 150, y: 100, width: 60 }], [room], room)).toEqual([undefined]);
    expect(placeLabels([{ x: 150, y: 100, width: 400 }], [], room)).toEqual([undefined]);
    expect(placeLabels([], [], room)).toEqual([]);
  });
});

test("an estimate of a text's width grows with every character and with the size", () => {
  expect(textWidth("Mi")).toBeGreaterThan(textWidth("ii"));
  expect(textWidth("层")).toBeGreaterThan(textWidth("m"));
  expect(textWidth("abc", 24)).toBeCloseTo(2 * textWidth("abc", 12));
});
