import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createNode } from "#model/attributes";
import { knownWindow, simplifyWindow, slidingWindow, type Window, windowRuns } from "#model/ops/window";

const pool = (attributes: Parameters<typeof createNode>[3]) => createNode("MaxPool", ["x"], ["y"], attributes);

/** The definition: every (kernel position, output, input) of a sweep. */
function products({ input, output, kernel, strides, dilations, padBegin }: Window): string[] {
  let found: [number, number, number][] = [[0, 0, 0]];
  for (let axis = 0; axis < input.length; axis++) {
    found = found.flatMap(([k, o, i]) =>
      Array.from({ length: kernel[axis] * output[axis] }, (_, n): [number, number, number] => {
        const [q, p] = [Math.floor(n / output[axis]), n % output[axis]];
        const at = p * strides[axis] + q * dilations[axis] - padBegin[axis];
        const inside = i >= 0 && at >= 0 && at < input[axis];
        return [k * kernel[axis] + q, o * output[axis] + p, inside ? i * input[axis] + at : -1];
      }),
    );
  }
  return found.filter(([, , i]) => i >= 0).map(String);
}

function productsOfRuns(window: Window): string[] {
  const [runs, step] = [windowRuns(window), window.strides[window.strides.length - 1]];
  const found: string[] = [];
  for (let r = 0; r < runs.length; r += 4) {
    for (let i = 0; i < runs[r + 3]; i++) found.push(String([runs[r], runs[r + 1] + i, runs[r + 2] + i * step]));
  }
  return found;
}

const axis = fc.record({
  input: fc.integer({ min: 1, max: 7 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  begin: fc.integer({ min: 0, max: 2 }),
  end: fc.integer({ min: 0, max: 2 }),
});

const windows = fc
  .array(axis, { minLength: 1, maxLength: 3 })
  .filter((axes) => axes.every((a) => a.input + a.begin + a.end >= (a.kernel - 1) * a.dilation + 1))
  .map((axes) =>
    slidingWindow(
      pool({
        strides: axes.map((a) => a.stride),
        dilations: axes.map((a) => a.dilation),
        pads: [...axes.map((a) => a.begin), ...axes.map((a) => a.end)],
      }),
      axes.map((a) => a.input),
      axes.map((a) => a.kernel),
    ),
  );

describe("a sliding window", () => {
  test("runs hold exactly the products of the definition", () => {
    fc.assert(
      fc.property(windows, (window) => {
        expect(productsOfRuns(window).sort()).toEqual(products(window).sort());
      }),
    );
  });

  test("dropping axes of one changes no product", () => {
    fc.assert(
      fc.property(windows, (window) => {
        expect(productsOfRuns(simplifyWindow(window)).sort()).toEqual(productsOfRuns(window).sort());
      }),
    );
  });

  test("SAME gives one output per stride, the odd pad element at the end or the beginning", () => {
    const upper = knownWindow(pool({ auto_pad: "SAME_UPPER", strides: [2] }), [6], [3]);
    expect(upper).toMatchObject({ output: [3], padBegin: [0], padEnd: [1] });
    const lower = knownWindow(pool({ auto_pad: "SAME_LOWER", strides: [2] }), [6], [3]);
    expect(lower).toMatchObject({ output: [3], padBegin: [1], padEnd: [0] });
  });

  test("a symbol survives where the output is as long as the input", () => {
    expect(knownWindow(pool({ pads: [1, 1] }), ["N"], [3]).output).toEqual(["N"]);
    expect(knownWindow(pool({ auto_pad: "SAME_UPPER" }), ["N"], [4])).toMatchObject({ output: ["N"], padBegin: [1] });
    expect(knownWindow(pool({ pads: [1, 1], strides: [2] }), ["N"], [3]).output).toEqual([null]);
  });

  test("a last window that would start in the end padding is dropped", () => {
    expect(knownWindow(pool({ ceil_mode: 1, strides: [2], pads: [0, 1] }), [4], [1]).output).toEqual([2]);
    expect(knownWindow(pool({ ceil_mode: 1, strides: [2] }), [4], [3]).output).toEqual([2]);
  });

  test("a kernel that does not fit, or of other axes, is refused", () => {
    expect(() => slidingWindow(pool({}), [2, 2], [3, 3])).toThrow(/does not fit/);
    expect(() => slidingWindow(pool({}), [2, 2], [3])).toThrow(/kernel of 1 axes/);
    expect(() => slidingWindow(pool({ strides: [1] }), [2, 2], [1, 1])).toThrow(/strides .* 1 values for 2 axes/);
  });
});
