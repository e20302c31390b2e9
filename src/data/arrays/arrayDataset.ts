/** Arrays as a data set: one column of rows for each input of the model. */
import { type Diagnostic, LowbitError } from "#base/errors";
import { arrayPixels, holdsImages } from "#data/arrays/arrayPixels";
import type { Labels } from "#data/labels";
import { describe, matchInput } from "#data/matchInput";
import { fitImages } from "#data/preprocess/imageFit";
import { type Preprocess, type PresetName, preset } from "#data/preprocess/preprocess";
import type { Rows } from "#data/rows";
import type { Dataset, ModelInput, ReadOptions } from "#data/types";

export interface Column {
  readonly input: ModelInput;
  readonly rows: Rows;
}

export interface ArraySource {
  readonly name: string;
  readonly kind: string;
  readonly columns: readonly Column[];
  readonly labels?: Labels;
  /** The rows are pixels; this is how they become numbers when nobody says. */
  readonly pixels?: PresetName;
}

/**
 * Samples whose inputs are rows of arrays. Bytes that are shaped like images are preprocessed when the caller asks for it, or when
 * the kind of data is always images (`pixels`). Throws `data/none`, `data/shape`, and `usage/argument` for a preprocessing of what is not bytes.
 */
export function arrayDataset(source: ArraySource, options: ReadOptions): Dataset {
  const { name, kind, columns, labels } = source;
  const length = columns[0].rows.length;
  const other = columns.find(({ rows }) => rows.length !== length);
  if (other !== undefined)
    throw new LowbitError(
      "data/shape",
      `${columns[0].rows.name} has ${length} samples, ${other.rows.name} has ${other.rows.length}`,
      {
        at: { file: name },
        hint: "the first axis counts the samples, and must be the same for all inputs",
      },
    );
  if (length === 0) throw new LowbitError("data/none", `${name} holds no samples`, { at: { file: name } });

  const diagnostics: Diagnostic[] = [];
  const preprocess = options.preprocess ?? (source.pixels && preset(source.pixels));
  let used: Preprocess | undefined;
  const makers = columns.map(({ input, rows }) => {
    if (preprocess !== undefined && holdsImages(rows)) {
      used = preprocess;
      const fit = fitImages(preprocess, input);
      diagnostics.push(...fit.diagnostics);
      return async (index: number) => fit.apply(arrayPixels(await rows.read(index)), `${name}#${index}`, true);
    }
    const fit = matchInput(rows, input);
    diagnostics.push(...fit.diagnostics);
    return async (index: number) => fit.apply(await rows.read(index));
  });
  if (used !== undefined && options.preprocess === undefined) diagnostics.unshift(assumed(name, used.name));
  if (options.preprocess !== undefined && used === undefined)
    throw new LowbitError(
      "usage/argument",
      `${name} holds no images of bytes, so ${options.preprocess.name} cannot prepare them`,
      {
        at: { file: name },
        hint: `leave out the preprocessing: the values are fed as they are; ${describe(columns[0].input)}`,
      },
    );
  return {
    name,
    kind,
    length,
    labelled: labels !== undefined,
    diagnostics,
    ...(labels?.classes && { classes: labels.classes }),
    ...(used && { preprocess: used }),
    async sample(index) {
      const tensors = await Promise.all(makers.map((make) => make(index)));
      const inputs = Object.fromEntries(columns.map(({ input }, i) => [input.name, tensors[i]]));
      return { inputs, id: `${name}#${index}`, ...(labels && { label: labels.labels[index] }) };
    },
  };
}

/** Says which preprocessing was taken because none was given. */
export function assumed(name: string, taken: string): Diagnostic {
  return {
    code: "data/preprocess",
    level: "warning",
    message: `no preprocessing was given for ${name}; "${taken}" was taken`,
    hint: "the wrong one costs more accuracy than any quantization: give --preprocess what the model was trained with",
  };
}

/** The one input that a single array or image feeds. Throws `data/shape` for a model with several. */
export function onlyInput(inputs: readonly ModelInput[], name: string): ModelInput {
  if (inputs.length === 1) return inputs[0];
  throw new LowbitError(
    "data/shape",
    `the model has ${inputs.length} inputs (${inputs.map((input) => input.name).join(", ")}); ${name} feeds one`,
    {
      at: { file: name },
      hint: "give an .npz or .jsonl with one array for each input, by name",
    },
  );
}
