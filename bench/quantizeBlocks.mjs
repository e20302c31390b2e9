/**
 * How fast weights are cut into blocks, in MB of float32 a second. Runs what `npm run build` made.
 *
 *   node bench/quantizeBlocks.mjs [--dist DIR]
 *
 * A matrix of 2,048 × 4,096 (34 MB); medians of 7 runs, which take turns.
 */
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { dist: { type: "string" } } });
const dist = values.dist ?? fileURLToPath(new URL("../dist", import.meta.url));
/** @type {typeof import("#quant/quantizeBlocks")} */
const { quantizeBlocks } = await import(pathToFileURL(`${dist}/quant/quantizeBlocks.js`).href);

const [k, n] = [2048, 4096];
const w = Float32Array.from({ length: k * n }, (_, i) => Math.sin(i * 0.37) / (1 + (i % 97)));
const forms = [2, 4, 8].flatMap((bits) =>
  [true, false].flatMap((symmetric) =>
    [false, true].map((transposed) => ({ bits: /** @type {2 | 4 | 8} */ (bits), symmetric, transposed })),
  ),
);
/** @type {number[][]} */
const times = forms.map(() => []);
for (let round = 0; round < 8; round++) {
  forms.forEach(({ bits, symmetric, transposed }, i) => {
    const start = performance.now();
    quantizeBlocks(w, { k, n, transposed }, { bits, size: 32, symmetric });
    if (round > 0) times[i].push(performance.now() - start);
  });
}
forms.forEach(({ bits, symmetric, transposed }, i) => {
  const median = times[i].sort((a, b) => a - b)[3];
  const rate = (w.byteLength / 1e6 / (median / 1000)).toFixed(0);
  console.log(
    `${bits} bits, ${symmetric ? "symmetric" : "asymmetric"}, ${transposed ? "[N, K]" : "[K, N]"}: ${rate} MB/s`,
  );
});
