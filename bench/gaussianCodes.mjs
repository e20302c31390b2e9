/**
 * What codes leave of Gaussian noise, N(0, 1): mean squared error against the bits that are stored, books and scales included, and
 * against Shannon's bound of 2^(−2·bits). Runs what `npm run build` made, or what lies in --dist.
 *
 *   node bench/gaussianCodes.mjs [SCHEME…] [--rows 1024] [--columns 4096] [--dist DIR]
 */
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: "string", default: "1024" },
    columns: { type: "string", default: "4096" },
    dist: { type: "string", default: fileURLToPath(new URL("../dist", import.meta.url)) },
  },
});
const load = (/** @type {string} */ path) => import(pathToFileURL(join(options.dist, path)).href);
/** @type {typeof import("#quant/quantizers/index")} */
const { quantizeMatrix } = await load("quant/quantizers/index.js");
/** @type {typeof import("#quant/dequantize")} */
const { dequantize } = await load("quant/dequantize.js");
/** @type {typeof import("#quant/storedBits")} */
const { bitsPerWeight } = await load("quant/storedBits.js");
/** @type {typeof import("#base/rng")} */
const { createRng } = await load("base/rng.js");
/** @type {typeof import("#math/normal")} */
const { normal } = await load("math/normal.js");

const usual = [
  "binary kmeans:2 vq:8x256 ternary ternary/optimal kmeans:3 kmeans:4 binary:2 vq:2x16 vq:4x256 rvq:8x256x2",
  "kmeans:8 binary:3 vq:2x64 kmeans:16 log2:4 log2:4/sqrt2 apot:4 vq:2x256 rvq:4x256x2",
].flatMap((line) => line.split(" "));
const schemes = positionals.length > 0 ? positionals : usual;
const [rows, columns] = [Number(options.rows), Number(options.columns)];
const rng = createRng(1);
const values = Float32Array.from({ length: rows * columns }, () => normal(rng));
console.log(`${rows} × ${columns} numbers from N(0, 1), seed 1\n`);
console.log("| scheme | stored bits a weight | mean squared error | over Shannon's bound | seconds |");
console.log("|---|--:|--:|--:|--:|");
for (const scheme of schemes) {
  const start = performance.now();
  const q = quantizeMatrix({ values, rows, columns }, scheme, { rng: createRng(1) });
  const seconds = (performance.now() - start) / 1000;
  const back = dequantize(q);
  const error = values.reduce((sum, v, i) => sum + (v - back[i]) ** 2, 0) / values.length;
  const bits = bitsPerWeight(q);
  const bound = 2 ** (-2 * bits);
  console.log(
    `| ${scheme} | ${bits.toFixed(4)} | ${error.toFixed(6)} | ${(10 * Math.log10(error / bound)).toFixed(2)} dB | ${seconds.toFixed(2)} |`,
  );
}
