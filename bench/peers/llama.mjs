/**
 * Whether llama.cpp runs the GGUF files that lowbit writes: stories260K (Karpathy's llama2.c checkpoint) as GGUF, in float32 and in
 * every block type whose rows it has, loaded by node-llama-cpp and asked to go on with a story, greedily.
 *
 *   mkdir peers && cd peers && npm i --ignore-scripts --omit=optional node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
 *   node bench/peers/llama.mjs --modules peers --model ../shared/models/lm [types…]
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: "string", default: "." },
    model: { type: "string", default: "../shared/models/lm" },
    dist: { type: "string", default: fileURLToPath(new URL("../../dist", import.meta.url)) },
  },
});
/** @param {string} path */
const own = (path) => import(pathToFileURL(join(values.dist, path)).href);
const { bytesSource } = await own("base/bytes.js");
const { storageOf } = await own("model/tensorFile.js");
const { saveTensors } = await own("verbs/tensorFiles.node.js");
const { nodeFileSystem } = await own("base/fileSystem.node.js");
const { quantizeTensorFile } = await own("node.js");
const require = createRequire(join(resolve(values.modules), "package.json"));
// named by a variable: it is no dependency of this package
const peer = "node-llama-cpp";
const { getLlama, LlamaCompletion, LlamaLogLevel } = await import(pathToFileURL(require.resolve(peer)).href);

/** The checkpoint's tensors by llama.cpp's names; layout: llama2.c, run.c, `memory_map_weights`. */
function tensorsOf(/** @type {Buffer} */ bytes) {
  const [dim, hidden, layers, heads, kvHeads, vocabulary, context] = new Int32Array(bytes.buffer, bytes.byteOffset, 7);
  let at = 28;
  const take = (/** @type {string} */ name, /** @type {number[]} */ shape) => {
    const length = 4 * shape.reduce((size, extent) => size * extent, 1);
    at += length;
    return {
      name,
      type: storageOf("float32"),
      shape,
      data: bytesSource(new Uint8Array(bytes.subarray(at - length, at)), name),
    };
  };
  const each = (/** @type {string} */ name, /** @type {number[]} */ shape) =>
    Array.from({ length: layers }, (_, layer) => take(`blk.${layer}.${name}.weight`, shape));
  const kv = (dim / heads) * kvHeads;
  const tensors = [
    take("token_embd.weight", [vocabulary, dim]),
    ...each("attn_norm", [dim]),
    ...each("attn_q", [dim, dim]),
    ...each("attn_k", [kv, dim]),
    ...each("attn_v", [kv, dim]),
    ...each("attn_output", [dim, dim]),
    ...each("ffn_norm", [dim]),
    ...each("ffn_gate", [hidden, dim]),
    ...each("ffn_down", [dim, hidden]),
    ...each("ffn_up", [hidden, dim]),
    take("output_norm.weight", [dim]),
  ];
  const sizes = {
    context_length: context,
    embedding_length: dim,
    block_count: layers,
    feed_forward_length: hidden,
    "attention.head_count": heads,
    "attention.head_count_kv": kvHeads,
    "rope.dimension_count": dim / heads,
    vocab_size: vocabulary,
  };
  return { tensors, sizes, vocabulary };
}

function tokensOf(/** @type {Buffer} */ bytes, /** @type {number} */ count) {
  const words = [];
  const scores = [];
  const types = [];
  for (let at = 4, id = 0; id < count; id++) {
    const length = bytes.readInt32LE(at + 4);
    const text = bytes.toString("utf8", at + 8, at + 8 + length);
    words.push(["<unk>", "<s>", "</s>"][id] ?? text.replaceAll(" ", "\u2581"));
    scores.push(bytes.readFloatLE(at));
    types.push(id === 0 ? 2 : id < 3 ? 3 : /^<0x..>$/.test(text) ? 6 : 1);
    at += 8 + length;
  }
  return { words, scores: Float32Array.from(scores), types: Int32Array.from(types) };
}

const { tensors, sizes, vocabulary } = tensorsOf(readFileSync(join(values.model, "stories260K.bin")));
const { words, scores, types } = tokensOf(readFileSync(join(values.model, "tok512.bin")), vocabulary);
const metadata = new Map([
  ["general.architecture", { type: "string", value: "llama" }],
  ...Object.entries(sizes).map(([key, value]) => [`llama.${key}`, { type: "uint32", value }]),
  ["llama.attention.layer_norm_rms_epsilon", { type: "float32", value: 1e-5 }],
  ["tokenizer.ggml.model", { type: "string", value: "llama" }],
  ["tokenizer.ggml.tokens", { type: "array", of: "string", values: words }],
  ["tokenizer.ggml.scores", { type: "array", of: "float32", values: scores }],
  ["tokenizer.ggml.token_type", { type: "array", of: "int32", values: types }],
  ["tokenizer.ggml.unknown_token_id", { type: "uint32", value: 0 }],
  ["tokenizer.ggml.bos_token_id", { type: "uint32", value: 1 }],
  ["tokenizer.ggml.eos_token_id", { type: "uint32", value: 2 }],
]);

const folder = mkdtempSync(join(tmpdir(), "lowbit-llama-"));
try {
  const float = join(folder, "f32.gguf");
  await saveTensors({ format: "gguf", metadata, tensors }, float, nodeFileSystem);
  const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.warn });
  const wanted =
    positionals.length > 0 ? positionals : ["f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl", "mxfp4"];
  for (const type of ["f32", ...wanted]) {
    const path = join(folder, `${type}.gguf`);
    if (type !== "f32") await quantizeTensorFile(float, path, { weights: `gguf:${type}` });
    const model = await llama.loadModel({ modelPath: path });
    const context = await model.createContext({ contextSize: 256, threads: 1 });
    const completion = new LlamaCompletion({ contextSequence: context.getSequence() });
    const text = await completion.generateCompletion("Once upon a time", { maxTokens: 24, temperature: 0 });
    console.log(
      `${type.padEnd(7)} ${String(statSync(path).size).padStart(8)} bytes  Once upon a time${text.replaceAll("\n", " ")}`,
    );
    await model.dispose();
  }
  await llama.dispose();
} finally {
  rmSync(folder, { recursive: true });
}
