/** The search for scales and minima (`make_qkx2_quants`, `make_qkx3_quants`), and the grids that it tries. */
import { type GridSearch, scaleAndMin } from "#kernels/scaleAndMin/reference";
import { fastScaleAndMin } from "#kernels/scaleAndMin/wasm";
import { onEngine } from "#quant/ggml/engine";

const { fround } = Math;

/** Grids of top + first, top + first + delta, … steps between minimum and maximum, 1 + `more` of them. */
export function gridSearch(top: number, first: number, delta: number, more: number, absolute = false): GridSearch {
  const start = fround(first);
  const step = fround(delta);
  const numerators = Float32Array.from({ length: more + 1 }, (_, i) => fround(start + fround(step * i)) + top);
  return { top, numerators, absolute };
}

let kernel: typeof scaleAndMin | undefined;

/** The kernel `scaleAndMin`, as fast as it is here: see its reference. */
export const fitScaleAndMin: typeof scaleAndMin = (...given) => {
  kernel ??= onEngine(fastScaleAndMin, scaleAndMin);
  kernel(...given);
};
