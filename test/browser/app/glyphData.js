import { renderGlyphs } from "../../../examples/glyphs/renderGlyphs.mjs";

/**
 * The demo's test images as one array, ready for `dataFromArrays`: the same numbers in Node and in a page.
 * @param {number} count @param {ReturnType<typeof import("lowbit").modelInputs>} inputs
 * @returns {Parameters<typeof import("lowbit").dataFromArrays>}
 */
export function glyphData(count, inputs) {
  const { images, labels } = renderGlyphs({ seed: 1, count });
  const data = Float32Array.from(images, (grey) => grey / 255);
  return [{ image: { type: "float32", dims: [count, 1, 32, 32], data } }, { inputs, labels: [...labels] }];
}
