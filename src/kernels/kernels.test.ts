import { afterEach, describe, expect, test, vi } from "vitest";
import { availableVariants, createKernels } from "#kernels/kernels";

afterEach(() => vi.unstubAllGlobals());

test("without WebAssembly, or where a page may not compile it, the references do the work", () => {
  vi.stubGlobal("WebAssembly", undefined);
  expect(createKernels().variant).toBe("reference");
  vi.unstubAllGlobals();
  const { validate } = WebAssembly;
  vi.stubGlobal("WebAssembly", {
    validate,
    Module: function forbidden() {
      throw new Error("Content Security Policy");
    },
  });
  expect(availableVariants()).toEqual(["reference"]);
});

describe.each(availableVariants())("%s", (variant) => {
  test("gives arrays of zeros in its memory, which is not endless", () => {
    const kernels = createKernels({ variant, bytes: 1000 });
    const [a, b] = [kernels.allocate(Uint8Array, 3), kernels.allocate(Float32Array, 5)];
    a.fill(255);
    expect([...b]).toEqual([0, 0, 0, 0, 0]);
    if (variant !== "reference") expect(() => kernels.allocate(Float64Array, 9000)).toThrow("bytes left");
  });
});
