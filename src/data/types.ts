/**
 * What a user has, as samples a model can be fed. Every kind of data ends as a `Dataset`: random access, so that "100 spread
 * evenly" and "all but those" are arithmetic on indices (`#data/spread`), and a sample is made only when it is asked for.
 */
import type { Diagnostic } from "#base/errors";
import type { Limits } from "#base/limits";
import type { Folder } from "#data/folder";
import type { DecodeImage } from "#data/images/decodeImage";
import type { Preprocess } from "#data/preprocess/preprocess";
import type { Dim } from "#model/model";
import type { Tensors } from "#model/session";
import type { ElementType } from "#model/tensor";

/** One thing to run the model on: ready for `session.run(sample.inputs)`. */
export interface Sample {
  /** One tensor for each input of the model, batch dimension included. */
  readonly inputs: Tensors;
  /** The right class, counted as the data counts (a model's class may be shifted: `--class-offset`). */
  readonly label?: number;
  /** For language models, per position: the token that comes next, or −1 where none is to be judged. Length = sequence length. */
  readonly targets?: Int32Array;
  /** What errors and reports call it: a file, or a place in a file: "images/tench.jpg", "test.bin#17". */
  readonly id: string;
}

/** Samples by index. Reading one may fail with `data/*` codes that name the file. */
export interface Dataset {
  /** Where it came from: a path, or "random". */
  readonly name: string;
  /** "images", "npy", …, or "random" for made-up values that say nothing about accuracy. */
  readonly kind: string;
  readonly length: number;
  /** Whether every sample has a label or targets. */
  readonly labelled: boolean;
  sample(index: number): Promise<Sample>;
  /** Names of the classes by index, where the data tells. */
  readonly classes?: readonly string[];
  /** How pixels became numbers. */
  readonly preprocess?: Preprocess;
  /** What was guessed, cast or left out. */
  readonly diagnostics: readonly Diagnostic[];
}

/** One input of a model, as data must fit it (`#data/modelInputs`). */
export interface ModelInput {
  readonly name: string;
  readonly type: ElementType;
  /** Symbols and nulls fit any size. undefined: not even the rank is known. */
  readonly dims: readonly Dim[] | undefined;
}

/** What every reader of a kind is told. */
export interface ReadOptions {
  readonly inputs: readonly ModelInput[];
  /** How pixels become numbers. Default: by kind, said in `diagnostics`. */
  readonly preprocess?: Preprocess;
  readonly limits: Limits;
  readonly decodeImage: DecodeImage;
  /** Text → token ids, for `.txt` files. */
  readonly tokenize?: (text: string) => readonly number[];
  /** Tokens per sample of token data. Default: the model's own, else 512. */
  readonly sequenceLength?: number;
  /** Tokens from the start of one window to the next. Default: `sequenceLength`, so no token is judged twice. */
  readonly stride?: number;
}

/** A kind of data: how it is recognised and read. A row of the registry in `#data/index`. */
export interface DataKind {
  /** What it reads, for menus and error messages. */
  readonly about: string;
  /** Whether several files together make one data set (images), or each is one (npy). */
  readonly many: boolean;
  /** Whether a file is of this kind, by its name alone; `.gz` is already taken off. */
  named(path: string): boolean;
  /** Whether a file is of this kind, by its first bytes (up to 4,096) and its name. */
  sniff(head: Uint8Array, path: string): boolean;
  /** @param paths what to read, in order; one path unless `many`. Its siblings in `folder` may hold labels. */
  open(paths: readonly string[], folder: Folder, options: ReadOptions): Promise<Dataset>;
}
