import { expect, test } from "vitest";
import { benchBytes, kernelBenches } from "#kernels/benches";
import { availableVariants, createKernels, kernelNames } from "#kernels/kernels";

test("every kernel has a bench", () => {
  expect(new Set(kernelBenches.map(({ kernel }) => kernel))).toEqual(new Set(kernelNames));
});

test.each(availableVariants().filter((variant) => variant !== "reference"))(
  "%s: every module is small enough for a page's main thread to compile at once",
  (variant) => {
    const kernels = createKernels({ variant, bytes: kernelBenches.length * benchBytes });
    for (const bench of kernelBenches) bench.prepare(kernels)();
    expect(kernels.modules.size).toBeGreaterThanOrEqual(kernelNames.length);
    for (const [name, bytes] of kernels.modules) expect(bytes, name).toBeLessThan(4096);
  },
);
