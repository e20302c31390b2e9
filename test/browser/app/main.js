// What the tests call on the page: the library as a web application imports it, on data that the page draws itself.
import { dataFromArrays, dataFromImages, inspect, modelInputs, open, quantize } from "lowbit";
import { glyphData } from "./glyphData.js";

/** @typedef {import("lowbit").QuantizeOptions} QuantizeOptions */
/** @typedef {typeof page} Page */

const page = {
  /** @param {string} model  its URL @param {number} count  samples @param {Omit<QuantizeOptions, "data">} options */
  async quantizeGlyphs(model, count, options) {
    const float = await open(new Uint8Array(await (await fetch(model)).arrayBuffer()));
    /** @type {string[]} */
    const stages = [];
    const { bytes, report } = await quantize(float, {
      ...options,
      data: dataFromArrays(...glyphData(count, modelInputs(float))),
      onProgress: ({ stage }) => void (stages.at(-1) === stage || stages.push(stage)),
    });
    return { bytes: base64(bytes), report, stages };
  },

  /**
   * Quantizes with images as files, as a file input or a drop gives them.
   * @param {string} model @param {readonly string[]} images  as base64 @param {readonly number[]} labels
   */
  async quantizeWithImages(model, images, labels) {
    const float = await open(new URL(model, location.href));
    const files = images.map((image, i) => new File([fromBase64(image)], `${i}.png`, { type: "image/png" }));
    const data = dataFromImages(files, { inputs: modelInputs(float), preprocess: "unit", labels });
    const { report } = await quantize(float, { data, calibrate: 20, measure: false });
    return report;
  },

  /** The same in a worker of the page's own, so that the page stays alive. @param {string} model @param {number} count */
  async quantizeInWorker(model, count) {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 10);
    worker.postMessage({ model: await (await fetch(model)).arrayBuffer(), count }, []);
    /** @type {MessageEvent<{ report: import("lowbit").Report }>} */
    const { data } = await new Promise((resolve) => worker.addEventListener("message", resolve, { once: true }));
    clearInterval(ticking);
    worker.terminate();
    return { ...data, ticks };
  },

  /** @param {string} model */
  async inspect(model) {
    return inspect(await open(new URL(model, location.href)));
  },

  /** The error's fields, as JSON. @param {number[]} bytes */
  async openBytes(bytes) {
    return open(Uint8Array.from(bytes)).then(
      () => undefined,
      (error) => error.toJSON(),
    );
  },
};
Object.assign(globalThis, { page });

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** @param {string} text */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
