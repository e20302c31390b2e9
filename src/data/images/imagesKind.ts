import type { Diagnostic } from "#base/errors";
import { openIn } from "#data/folder";
import { imageDataset } from "#data/images/imageDataset";
import { imageNames } from "#data/images/decodeImage";
import { imageFormat } from "#data/images/imageSize";
import { labelImages } from "#data/images/labelImages";
import type { DataKind } from "#data/types";

/** Image files, decoded and preprocessed one at a time. */
export const imagesKind: DataKind = {
  about: "images (.jpg, .png, .webp, …), with labels.json, labels.csv or a folder for each class",
  many: true,
  named: (path) => imageNames.test(path),
  sniff: (head) => imageFormat(head) !== undefined,
  async open(paths, folder, options) {
    const { images, classes, diagnostics } = await labelImages(paths, folder, options.limits);
    const files = images.map(({ path, label }) => ({ name: path, label, open: () => openIn(folder, path) }));
    const dataset = imageDataset(folder.name, files, options);
    const all = [...diagnostics, ...strangers(paths, await folder.list()), ...dataset.diagnostics];
    return { ...dataset, ...(classes && { classes }), diagnostics: all };
  },
};

/** Files of a folder of images that are neither images nor their labels. */
function strangers(paths: readonly string[], files: readonly string[]): Diagnostic[] {
  const others = files.filter((path) => !imageNames.test(path) && !/^(labels\.(json|csv)|classes\.json)$/.test(path));
  if (others.length === 0 || paths.length === 1) return [];
  const some = others.slice(0, 3).join(", ") + (others.length > 3 ? ", …" : "");
  return [
    { code: "data/ignored", level: "info", message: `${others.length} files are no images and are left out: ${some}` },
  ];
}
