/**
 * Our ggml blocks as a filter, for compare_ggml.py:
 *
 *   node bench/peers/ggml.mjs encode q4_k COLUMNS [--importance FILE] < float32 > blocks
 *   node bench/peers/ggml.mjs decode q4_k < blocks > float32
 *
 * Runs what `npm run build` made, or --dist DIR.
 */
import { readFileSync, writeSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { dist: { type: "string" }, importance: { type: "string" } },
});
const dist = values.dist ?? fileURLToPath(new URL("../../dist", import.meta.url));
/** @type {typeof import("#quant/ggml/codec")} */
const { encodeGgml, decodeGgml } = await import(pathToFileURL(`${dist}/quant/ggml/codec.js`).href);

const [verb, type, columns] = positionals;
const name = /** @type {import("#quant/ggml/index").GgmlTypeName} */ (type);
/** @param {string | number} file */
const bytesOf = (file) => new Uint8Array(readFileSync(file));
/** @param {string | number} file */
const floatsOf = (file) => new Float32Array(bytesOf(file).buffer);

const out =
  verb === "encode"
    ? encodeGgml(name, floatsOf(0), Number(columns), values.importance && floatsOf(values.importance))
    : decodeGgml(name, bytesOf(0));
const bytes = new Uint8Array(out.buffer);
for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at, bytes.length - at);
