import { expect, test } from "vitest";
import { availableVariants } from "#kernels/kernels";
import { kernelBenchText } from "#report/kernelBenchText";
import { benchKernels } from "#verbs/benchKernels";

const place = { now: () => performance.now(), processor: "a test", tool: "lowbit 0" };

test("kernels are timed in every variant that works here, and told in a table", async () => {
  const stages: string[] = [];
  const report = await benchKernels(place, {
    only: "absmax",
    turnMs: 0,
    onProgress: ({ stage }) => stages.push(stage),
  });
  expect(stages).toEqual(["absmax"]);
  const [{ kernel, unit, rates }] = report.kernels;
  expect([kernel, unit, rates.map(({ variant }) => variant)]).toEqual(["absmax", "GB/s", availableVariants()]);
  expect(rates.every(({ rate, ratio }) => rate > 0 && ratio > 0)).toBe(true);
  expect(rates.find(({ variant }) => variant === "reference")?.ratio).toBe(1);
  const text = kernelBenchText(report);
  expect(text).toContain("absmax");
  expect(text).toContain("a test");
});

test("a bench that is stopped stops", async () => {
  await expect(benchKernels(place, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "run/interrupted" });
});
