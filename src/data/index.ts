/** The kinds of data. Adding one is a file and a line here; its keys are the values of `--kind`. */
import { cifarKind } from "#data/cifar/cifarKind";
import { featuresKind } from "#data/features/featuresKind";
import { idxKind } from "#data/idx/idxKind";
import { imagesKind } from "#data/images/imagesKind";
import { jsonlKind } from "#data/jsonl/jsonlKind";
import { npyKind } from "#data/npy/npyKind";
import { npzKind } from "#data/npy/npzKind";
import { textKind } from "#data/text/textKind";
import { tokensKind } from "#data/tokens/tokensKind";
import type { DataKind } from "#data/types";

/** In the order in which a folder is tried. */
export const dataKinds = {
  images: imagesKind,
  npy: npyKind,
  npz: npzKind,
  idx: idxKind,
  cifar: cifarKind,
  features: featuresKind,
  jsonl: jsonlKind,
  tokens: tokensKind,
  text: textKind,
} as const satisfies Record<string, DataKind>;

export type DataKindName = keyof typeof dataKinds;
