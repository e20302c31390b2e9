import { describe, expect, test } from "vitest";
import { compared, isLess, sizeWords, speedWords } from "#report/comparison";
import { headline } from "#report/headline";
import { metricOf } from "#report/metric";
import type { LayerReport, QualityReport, Report } from "#report/types";
import { verdict, verdictAbove } from "#report/verdict";
import { causeInWords, costInWords, worstLayers } from "#report/worstLayers";

const quality: QualityReport = {
  metric: "top1",
  samples: 1000,
  data: "imagenet",
  float: 0.718,
  quantized: 0.709,
  drop: 0.009,
  agreement: 0.934,
  logitSqnrDb: 21.3,
};

const report: Report = {
  version: 1,
  tool: "lowbit",
  input: { path: "a.onnx", sha256: "", format: "onnx" },
  output: { path: "b.onnx", sha256: "", format: "onnx" },
  recipe: "w8a8",
  seed: 0,
  size: { inputBytes: 4e6, outputBytes: 1e6, ratio: 4, entropyCodedBytes: 9e5, ledger: [] },
  quality,
  speed: { label: "measured", runtime: "ort", threads: 1, floatMs: 10, quantizedMs: 5, speedup: 2, rounds: 7 },
  energy: null,
  memory: null,
  layers: [],
  diagnostics: [],
  durationMs: 1,
};

describe("the verdict", () => {
  const says = (change: Partial<QualityReport> | null) =>
    verdict({ ...report, quality: change === null ? null : { ...quality, ...change } });

  test("names size, speed and loss, and what the samples leave open", () => {
    expect(verdict(report)).toBe(
      "4.00× smaller (4.00 MB → 1.00 MB) and 2.00× faster. Top-1 accuracy fell by 0.9 points (71.8 % → 70.9 %, " +
        "1,000 samples of imagenet), which is within what 1,000 samples can tell apart from no change.",
    );
  });

  test("does not call a clear loss open, nor a lost model anything but lost", () => {
    const clear = says({ quantized: 0.668, drop: 0.05, agreement: 0.92 });
    expect(clear).toContain("fell by 5.0 points");
    expect(clear).not.toContain("tell apart");
    expect(says({ quantized: 0.001, drop: 0.717, agreement: 0 })).toContain("most of what the model could do is lost");
  });

  test("says unchanged, rose, and what other metrics lost", () => {
    expect(says({ quantized: 0.718, drop: 0 })).toContain("Top-1 accuracy is unchanged");
    expect(says({ quantized: 0.72, drop: -0.002 })).toContain("rose by 0.2 points");
    expect(says({ metric: "nll", float: 3.31, quantized: 3.4, drop: 0.09 })).toContain(
      "Negative log-likelihood changed by +0.0900 nats (3.31 nats → 3.40 nats",
    );
    expect(says({ metric: "agreement", float: null, quantized: 0.934, drop: null })).toContain(
      "gives the float model's answer in 93.4 % of 1,000 samples of imagenet",
    );
    expect(says({ metric: "sqnr", float: null, quantized: 21.3, drop: null, agreement: null })).toContain("to 21.3 dB");
  });

  test("never takes random inputs or silence for proof", () => {
    expect(says({ data: "random" })).toContain("1,000 random inputs, which shows that it runs, not that it is right");
    expect(says(null)).toContain("was not measured");
    expect(headline({ ...report, quality: { ...quality, data: "random" } }).filter(({ alarm }) => alarm)).toHaveLength(
      3,
    );
  });

  test("says but when speed was paid for size, and points at warnings", () => {
    const slower = { ...report, speed: { ...report.speed!, quantizedMs: 20, speedup: 0.5 } };
    expect(verdict(slower)).toContain("but 2.00× slower");
    expect(verdict({ ...report, speed: null })).toContain("speed was not measured");
    const warned = { ...report, diagnostics: [{ code: "a/b", level: "warning", message: "c" }] } as const;
    expect(verdictAbove(warned)).toMatch(/1 warning below\.$/);
    expect(verdictAbove(report)).toBe(verdict(report));
  });
});

describe("a ratio in words", () => {
  test("never asks which way it was divided", () => {
    expect([1.42, 0.5, 1.01, 0.99].map((ratio) => compared(ratio, speedWords))).toEqual([
      "1.42× faster",
      "2.00× slower",
      "as fast",
      "as fast",
    ]);
    expect([Number.NaN, Number.POSITIVE_INFINITY, 0, -1].map((ratio) => compared(ratio, sizeWords))).toEqual(
      Array.from({ length: 4 }, () => "not comparable"),
    );
    expect([isLess(0.97), isLess(0.99), isLess(Number.NaN)]).toEqual([true, false, false]);
  });
});

describe("the worst layers", () => {
  const layer = (name: string, sqnrDb: number | null, more: Partial<LayerReport> = {}): LayerReport => ({
    name,
    op: "Conv",
    weights: "int8",
    activations: "",
    sqnrDb,
    why: "",
    ...more,
  });
  const names = (layers: readonly LayerReport[], drop?: number) => worstLayers(layers, drop).map(({ name }) => name);

  test("are those with the least signal, NaN before all", () => {
    const layers = [
      layer("fine", 30),
      layer("low", 12),
      layer("broken", Number.NaN),
      layer("lost", Number.NEGATIVE_INFINITY),
      layer("exact", Number.POSITIVE_INFINITY),
      layer("unmeasured", null),
    ];
    expect(names(layers)).toEqual(["broken", "lost", "low"]);
  });

  test("are those that give back most of the drop, where that was measured", () => {
    const layers = [layer("a", 12, { dropIfFloat: 0.02 }), layer("b", 25, { dropIfFloat: 0.005 }), layer("c", 11)];
    expect(names(layers, 0.03)).toEqual(["b", "a", "c"]);
    expect(costInWords(layers[1], { ...quality, drop: 0.03 })).toBe("costs 2.5 points");
    expect(costInWords(layers[2], quality)).toBe("");
  });

  test("do not blame a layer that stayed float, unless the report does", () => {
    const float = { weights: "float32" };
    expect(names([layer("passes it on", 12, float), layer("blamed", 12, { ...float, cause: "saturation" })])).toEqual([
      "blamed",
    ]);
  });

  test("have their causes in words, also those nobody foresaw", () => {
    expect(causeInWords("outlier-range")).toContain("outliers");
    expect(causeInWords("toString")).toBe("toString");
  });
});

test("a metric nobody knows is a number, also if it is called constructor", () => {
  expect(metricOf("constructor")).toEqual({
    name: "constructor",
    short: "constructor",
    unit: "number",
    better: "higher",
  });
});
