import { afterEach, expect, test, vi } from "vitest";
import { webAssemblyFeatures } from "#kernels/webAssemblyFeatures";

afterEach(() => vi.unstubAllGlobals());

test("every Node that is supported has vectors and threads; relaxed vectors came with Node 21", () => {
  const [major] = process.versions.node.split(".").map(Number);
  expect(webAssemblyFeatures()).toEqual({ simd: true, relaxedSimd: major >= 21, threads: true });
});

test("a page that is not isolated has no threads", () => {
  vi.stubGlobal("crossOriginIsolated", false);
  expect(webAssemblyFeatures()).toMatchObject({ simd: true, threads: false });
});

test("where there is no WebAssembly nothing is claimed", () => {
  vi.stubGlobal("WebAssembly", undefined);
  expect(webAssemblyFeatures()).toBeUndefined();
});

test("an engine is asked with different modules for each feature", () => {
  const asked = new Set<string>();
  vi.stubGlobal("WebAssembly", { validate: (bytes: Uint8Array) => asked.add(bytes.join()).size > 9 });
  expect(webAssemblyFeatures()).toEqual({ simd: false, relaxedSimd: false, threads: false });
  expect(asked.size).toBe(3);
});
