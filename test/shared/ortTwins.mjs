/**
 * A child process that runs a model and its rewritten twin in ONNX Runtime and tells whether their outputs have the same bits.
 * Message: { id, original, rewritten, feeds: { name: { type, dims, data } } } → { id, verdict, detail? }.
 */
import { InferenceSession, Tensor } from "onnxruntime-node";

/** @type {InferenceSession.SessionOptions} */
const options = { logSeverityLevel: 4, intraOpNumThreads: 1, interOpNumThreads: 1 };

/** @typedef {Readonly<Record<string, import("#model/tensor").Tensor>>} Feeds */

/**
 * Runs and releases; outputs as comparable text.
 * @param {Uint8Array | string} model its bytes, or its path
 * @param {Feeds} feeds
 */
async function outputsOf(model, feeds) {
  const session =
    typeof model === "string"
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  try {
    /** @type {Record<string, Tensor>} */
    const inputs = {};
    // our names of element types are ONNX Runtime's; those that are not it refuses
    for (const [name, { type, dims, data }] of Object.entries(feeds))
      inputs[name] = new Tensor(/** @type {"float32"} */ (type), /** @type {Float32Array} */ (data), dims);
    const outputs = await session.run(inputs);
    return Object.entries(outputs).map(([name, { type, dims, data }]) => {
      const bits = Array.isArray(data)
        ? JSON.stringify(data)
        : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("latin1");
      return `${name} ${type} ${dims.join(",")} ${bits}`;
    });
  } finally {
    await session.release();
  }
}

/** @param {unknown} error */
const told = (error) => (error instanceof Error ? error.message : String(error)).split("\n")[0].slice(0, 300);

/**
 * @param {{ original: Uint8Array, rewritten: Uint8Array | string, feeds: Feeds }} twins
 * @returns {Promise<{ verdict: string, detail?: string }>}
 */
async function compare({ original, rewritten, feeds }) {
  let first;
  try {
    first = await outputsOf(original, feeds);
    const second = await outputsOf(original, feeds);
    if (first.some((text, i) => text !== second[i])) return { verdict: "random" };
  } catch (error) {
    return { verdict: "not run", detail: told(error) };
  }
  try {
    const twin = await outputsOf(rewritten, feeds);
    const same = first.length === twin.length && first.every((text, i) => text === twin[i]);
    return { verdict: same ? "equal" : "different" };
  } catch (error) {
    return { verdict: "broken", detail: told(error) };
  }
}

process.on("message", async (/** @type {{ id: number } & Parameters<typeof compare>[0]} */ { id, ...twins }) => {
  process.send?.({ id, ...(await compare(twins)) });
});
