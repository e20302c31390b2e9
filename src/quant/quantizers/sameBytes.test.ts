/** Kernels are the same functions, faster: no byte of a quantized tensor depends on whether the engine has WebAssembly. */
import { afterEach, expect, test, vi } from "vitest";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { quantizers } from "#quant/quantizers/index";
import type { Matrix, Quantizer } from "#quant/types";

const examples = Object.values<Quantizer>(quantizers).flatMap((quantizer) => quantizer.examples);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

async function quantizing(): Promise<(x: Matrix) => unknown[]> {
  vi.resetModules();
  const { quantizeMatrix } = await import("#quant/quantizers/index");
  return (x) => examples.map((example) => quantizeMatrix(x, example, { rng: createRng(1) }));
}

test("every quantizer makes the same of a matrix with and without WebAssembly", async () => {
  const rng = createRng(3);
  const values = Float32Array.from({ length: 4 * 256 }, (_, i) => (i % 41 === 0 ? -0 : normal(rng) * (1 + (i % 7))));
  const x = { values, rows: 4, columns: 256 };
  const fast = (await quantizing())(x);
  vi.stubGlobal("WebAssembly", undefined);
  const plain = (await quantizing())(x);
  examples.forEach((example, i) => expect(plain[i], example).toEqual(fast[i]));
});
