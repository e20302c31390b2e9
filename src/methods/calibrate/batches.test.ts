import { describe, expect, test } from "vitest";
import { batchesOf } from "#methods/calibrate/batches";

const values = (count: number, dims?: readonly number[]) =>
  Array.from({ length: count }, (_, i) => ({ tensor: `t${i}`, ...(dims === undefined ? {} : { dims }) }));
const channel = (tensor: string) => ({ tensor, rank: 4, axis: 1, length: 3 });

describe("what one tapped graph observes", () => {
  test("is everything, in a model of ordinary size", () => {
    const all = values(70, [1, 96, 56, 56]);
    const channels = [channel("t3"), channel("input")];
    expect(batchesOf(all, channels)).toEqual([{ values: all, channels }]);
  });

  test("is nothing where nothing is asked for", () => expect(batchesOf([], [])).toEqual([]));

  test("is at most 256 MB, or a single value that is larger", () => {
    const large = [...values(5, [1, 2 ** 25]), { tensor: "giant", dims: [2 ** 28] }];
    const batches = batchesOf(large, []);
    expect(batches.map((batch) => batch.values.length)).toEqual([2, 2, 1, 1]);
    expect(batches.flatMap((batch) => batch.values)).toEqual(large);
  });

  test("is at most 200 values, and their means per channel beside their ranges", () => {
    const many = values(450);
    const batches = batchesOf(many, [channel("t0"), channel("t449"), channel("input")]);
    expect(batches.map((batch) => [batch.values.length, batch.channels.map(({ tensor }) => tensor)])).toEqual([
      [200, ["t0"]],
      [200, []],
      [50, ["t449", "input"]],
    ]);
  });
});
