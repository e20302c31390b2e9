import { describe, expect, test } from "vitest";
import type { ProgressEvent } from "#base/progress";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { calibrate, type CalibrationData } from "#methods/calibrate/calibrate";
import { samplingStep } from "#methods/calibrate/tapGraph";
import { createNode } from "#model/attributes";
import { float32, toNumbers } from "#model/tensor";
import { emptySummary, mergeSummaries, summarize } from "#quant/summary";
import { createReferenceSession } from "#runtimes/reference/reference";
import { modelOf } from "../../../test/modelBuilder";

const rng = createRng(3);
const model = modelOf({
  opset: 13,
  inputs: { x: ["float32", [1, 3, 4, 4]] },
  outputs: ["y"],
  nodes: [createNode("Conv", ["x", "w"], ["h"]), createNode("Relu", ["h"], ["y"])],
  weights: {
    w: float32(
      [5, 3, 1, 1],
      Float32Array.from({ length: 15 }, () => normal(rng)),
    ),
  },
});
const samples = Array.from({ length: 6 }, () =>
  float32(
    [1, 3, 4, 4],
    Float32Array.from({ length: 48 }, () => normal(rng)),
  ),
);
const data: CalibrationData = { name: "made", length: samples.length, feeds: async (i) => ({ x: samples[i] }) };
const openSession = createReferenceSession;
const options = {
  openSession,
  values: [{ tensor: "x" }, { tensor: "h" }, { tensor: "y" }],
  channels: [{ tensor: "x", rank: 4, axis: 1, length: 3 }],
  histograms: true,
};

describe("statistics computed inside the graph", () => {
  test("are those of the activations themselves, bin for bin", async () => {
    const { stats } = await calibrate(model, data, options);
    const session = await createReferenceSession(model);
    for (const { tensor: name } of options.values) {
      const seen = await Promise.all(samples.map(async (x) => toNumbers((await session.run({ x }, [name]))[name])));
      const direct = seen.map((values) => summarize(values, true)).reduce(mergeSummaries, emptySummary);
      expect(stats.tensors.get(name)).toEqual(direct);
    }
  });

  test("do not depend on how many other values are observed, and progress counts every pass", async () => {
    const { stats } = await calibrate(model, data, options);
    const names = Array.from({ length: 450 }, (_, i) => `copy${i}`);
    const wide = {
      ...model,
      graph: {
        ...model.graph,
        nodes: [...model.graph.nodes, ...names.map((name) => createNode("Identity", ["h"], [name]))],
      },
    };
    const progress: ProgressEvent[] = [];
    const all = await calibrate(wide, data, {
      ...options,
      values: [...options.values, ...names.map((tensor) => ({ tensor }))],
      onProgress: (event) => progress.push(event),
    });
    for (const name of ["x", "h", "y"]) expect(all.stats.tensors.get(name)).toEqual(stats.tensors.get(name));
    for (const name of names) expect(all.stats.tensors.get(name)).toEqual(stats.tensors.get("h"));
    expect(all.stats.channelMeans).toEqual(stats.channelMeans);
    const total = 3 * 2 * samples.length;
    expect(progress).toEqual(Array.from({ length: total }, (_, i) => ({ stage: "calibrate", done: i + 1, total })));
  });

  test("hold each input channel's mean", async () => {
    const { stats } = await calibrate(model, data, { ...options, histograms: false });
    const means = stats.channelMeans.get("x") ?? [];
    for (let c = 0; c < 3; c++) {
      const values = samples.flatMap((x) => [...toNumbers(x)].slice(c * 16, (c + 1) * 16));
      expect(means[c]).toBeCloseTo(values.reduce((sum, v) => sum + v, 0) / values.length, 6);
    }
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "leave out, and name, what showed %s once, wherever it stood",
    async (broken) => {
      for (const at of [0, 17, 47]) {
        const spoilt = float32([1, 3, 4, 4], Float32Array.from(toNumbers(samples[2])));
        (spoilt.data as Float32Array)[at] = broken;
        const feeds = async (i: number) => ({ x: i === 2 ? spoilt : samples[i] });
        for (const channels of [options.channels, []]) {
          const { stats, diagnostics } = await calibrate(model, { ...data, feeds }, { ...options, channels });
          expect(stats.tensors.has("x")).toBe(false);
          expect(stats.channelMeans.has("x")).toBe(false);
          expect(diagnostics[0]).toMatchObject({ code: "calibrate/non-finite", at: { tensor: "x" } });
        }
      }
    },
  );

  test("do not depend on the operator set the model has", async () => {
    const newer = { ...model, opsets: new Map([["", 21]]) };
    expect((await calibrate(newer, data, options)).stats).toEqual((await calibrate(model, data, options)).stats);
  });
});

test("large values are sampled: the histogram of every third value, and the extremes of all", async () => {
  const side = 200;
  const wide = modelOf({
    opset: 13,
    inputs: { x: ["float32", [1, 4, side, side]] },
    outputs: ["y"],
    nodes: [createNode("Relu", ["x"], ["y"])],
  });
  const x = float32(
    [1, 4, side, side],
    Float32Array.from({ length: 4 * side * side }, () => normal(rng)),
  );
  const values = [
    { tensor: "x", dims: x.dims },
    { tensor: "y", dims: x.dims, fromZero: true },
  ];
  const { stats } = await calibrate(
    wide,
    { name: "wide", length: 1, feeds: async () => ({ x }) },
    { ...options, values, channels: [] },
  );
  const every = (step: number, of: ArrayLike<number>) =>
    Float32Array.from({ length: Math.ceil(of.length / step) }, (_, i) => of[i * step]);
  const all = Float64Array.from(toNumbers(x));
  const step = samplingStep(x.dims);
  expect([step, side % step]).toEqual([3, 2]);
  expect(stats.tensors.get("x")).toMatchObject({
    min: all.reduce((a, b) => Math.min(a, b)),
    max: all.reduce((a, b) => Math.max(a, b)),
    count: Math.ceil(all.length / step),
  });
  const direct = summarize(every(step, all), true);
  const seen = stats.tensors.get("x")?.histogram;
  expect(seen?.counts.reduce((sum, n) => sum + n, 0)).toBe(direct.count);
  expect(stats.tensors.get("y")?.min).toBe(0);
});

test("a value that becomes NaN or infinite is left out and named", async () => {
  const broken: CalibrationData = {
    ...data,
    feeds: async (i) => ({ x: i === 3 ? float32([1, 3, 4, 4], new Float32Array(48).fill(Number.NaN)) : samples[i] }),
  };
  const { stats, diagnostics } = await calibrate(model, broken, options);
  expect(stats.tensors.size).toBe(0);
  expect(diagnostics.map(({ at }) => at?.tensor)).toEqual(["x", "h", "y"]);
});

test("no samples are refused, and an abort stops between two", async () => {
  await expect(calibrate(model, { ...data, length: 0 }, options)).rejects.toMatchObject({
    code: "plan/no-calibration",
  });
  const controller = new AbortController();
  const stopping: CalibrationData = {
    ...data,
    async feeds(i) {
      if (i === 2) controller.abort();
      return data.feeds(i);
    },
  };
  await expect(calibrate(model, stopping, { ...options, signal: controller.signal })).rejects.toMatchObject({
    code: "run/interrupted",
  });
});
