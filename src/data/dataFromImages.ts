import { blobSource } from "#base/bytes";
import { checkLabels } from "#data/labels";
import { imageDataset } from "#data/images/imageDataset";
import { type DataOptions, readOptions, sampled } from "#data/openData";
import type { Dataset } from "#data/types";

/** Image files of a web page as samples, in their order. @param labels a class index for each. Throws as `openDataIn`. */
export function dataFromImages(
  files: readonly Blob[],
  options: DataOptions & { readonly labels?: readonly number[] },
): Dataset {
  const labels = options.labels && checkLabels(options.labels, files.length, { file: "labels" });
  const images = files.map((file, i) => {
    const source = "name" in file ? blobSource(file) : blobSource(file, `image ${i}`);
    return { name: source.name, label: labels?.[i], open: async () => source };
  });
  return sampled(imageDataset("images", images, readOptions(options)), options);
}
