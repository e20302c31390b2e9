import { dataFromImages, LowbitError, modelInputs, open, quantize, reportHtml, reportText } from "lowbit";

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const status = /** @type {HTMLElement} */ (document.querySelector("#status"));
const results = /** @type {HTMLElement} */ (document.querySelector("#results"));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = new FormData(form);
  const file = /** @type {File} */ (given.get("model"));
  const images = /** @type {File[]} */ (given.getAll("images"));
  try {
    const model = await open(file);
    const data = dataFromImages(images, {
      inputs: modelInputs(model),
      preprocess: /** @type {string} */ (given.get("preprocess")),
    });
    const { bytes, report } = await quantize(model, {
      data,
      calibrate: Math.ceil(images.length / 2), // the others judge
      onProgress: ({ stage, done, total }) => {
        status.textContent = `${stage} ${done}/${total}`;
      },
    });
    status.textContent = reportText(report).split("\n\n")[0];
    results.replaceChildren(
      download(bytes, file.name.replace(/\.onnx$/, ".small.onnx"), "application/octet-stream"),
      " ",
      download(reportHtml(report), "report.html", "text/html"),
    );
  } catch (error) {
    // what is wrong, and where; then what to do
    status.textContent = error instanceof LowbitError ? `${error.message}. ${error.hint}` : String(error);
  }
});

/** @param {string | Uint8Array} content @param {string} name @param {string} type */
function download(content, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([/** @type {BlobPart} */ (content)], { type }));
  link.download = name;
  link.textContent = name;
  return link;
}
