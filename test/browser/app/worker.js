import { dataFromArrays, modelInputs, open, quantize } from "lowbit";
import { glyphData } from "./glyphData.js";

addEventListener("message", async ({ data: { model, count } }) => {
  const float = await open(model);
  const data = dataFromArrays(...glyphData(count, modelInputs(float)));
  const { report } = await quantize(float, { data, measure: false });
  postMessage({ report });
});
