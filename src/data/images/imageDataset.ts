import type { ByteSource } from "#base/bytes";
import { LowbitError, withPlace } from "#base/errors";
import { assumed, onlyInput } from "#data/arrays/arrayDataset";
import { checkImage } from "#data/images/decodeImage";
import { fitImages } from "#data/preprocess/imageFit";
import { preset } from "#data/preprocess/preprocess";
import { readAll } from "#data/readAll";
import type { Dataset, ReadOptions } from "#data/types";

export interface ImageFile {
  /** Relative to the folder. */
  readonly name: string;
  readonly label?: number;
  readonly open: () => Promise<ByteSource>;
}

/** Taken when nobody says how the model was trained: most image classifiers were so. */
const usual = "imagenet-torch";

/** Images as samples of a model with one input. Throws `data/none`; a sample that cannot be decoded throws with its file. */
export function imageDataset(name: string, files: readonly ImageFile[], options: ReadOptions): Dataset {
  const { limits, decodeImage } = options;
  if (files.length === 0)
    throw new LowbitError("data/none", `${name} holds no images`, {
      at: { file: name },
      hint: "give a folder of .jpg or .png files",
    });
  const preprocess = options.preprocess ?? preset(usual);
  const input = onlyInput(options.inputs, name);
  const fit = fitImages(preprocess, input);
  return {
    name,
    kind: "images",
    length: files.length,
    labelled: files.every((file) => file.label !== undefined),
    preprocess,
    diagnostics: options.preprocess === undefined ? [assumed(name, usual), ...fit.diagnostics] : fit.diagnostics,
    async sample(index) {
      const { name: id, label, open } = files[index];
      const source = await open();
      const file = source.name;
      try {
        const bytes = await readAll(source, limits, "imageBytes");
        checkImage(bytes, file, limits);
        const feed = fit.apply(await decodeImage(bytes, file, limits), file, false);
        return { inputs: { [input.name]: feed }, id, ...(label !== undefined && { label }) };
      } catch (error) {
        throw withPlace(error, { file });
      }
    },
  };
}
