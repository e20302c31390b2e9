import { LowbitError } from "#base/errors";
import type { JobOptions } from "#base/progress";
import { nodeMatcher } from "#methods/plan/nodePattern";
import { findWeights, type Weight } from "#methods/plan/weights";
import { GraphDraft } from "#model/edit";
import type { Model } from "#model/model";
import { sizeOf, toNumbers } from "#model/tensor";
import { readWeight } from "#model/weights";
import { type ComparedWeight, compareQuantizers as compareOn } from "#report/compareQuantizers";
import type { QuantizerComparison } from "#report/types";
import { channelsFirst } from "#verbs/tensors";

export interface CompareQuantizersOptions extends JobOptions {
  /** Only weights of this name, or of nodes of this name; globs. Default: all of at least 1,024 elements. */
  readonly layer?: string;
  /** Default: one of each kind, of every quantizer. */
  readonly schemes?: readonly string[];
  readonly seed?: number;
}

/** What every quantizer would make of a model's weights: bits against error. Throws usage/argument where `layer` names none. */
export function compareQuantizers(
  model: Model,
  { layer, schemes, seed = 0, ...job }: CompareQuantizersOptions = {},
): Promise<QuantizerComparison> {
  const all = findWeights(model, new GraphDraft(model.graph)).filter(({ ref }) => sizeOf(ref.dims) > 0);
  const wanted = layer === undefined ? all.filter(({ ref }) => sizeOf(ref.dims) >= smallest) : named(all, layer);
  const file = model.origin?.name ?? "model";
  if (wanted.length === 0)
    throw new LowbitError(
      "usage/argument",
      layer === undefined ? `${file} has no float weights` : `no weight of ${file} is called ${layer}`,
      {
        at: { file },
        hint:
          all.length === 0
            ? "its layers may be quantized already"
            : `for example ${all
                .slice(0, 3)
                .map(({ ref }) => ref.name)
                .join(", ")}`,
      },
    );
  const options = { ...job, seed, ...(schemes === undefined ? {} : { schemes }) };
  return compareOn(file.replace(/^.*[\\/]/, ""), wanted.map(compared), options);
}

/** Elements below which a weight is seldom quantized: see `Recipe.smallestWeight`. */
const smallest = 1024;

function named(weights: readonly Weight[], pattern: string): Weight[] {
  const matches = nodeMatcher(pattern);
  return weights.filter(({ ref, uses }) =>
    uses.some(({ node }) => matches(node) || matches({ ...node, name: ref.name, outputs: [] })),
  );
}

function compared({ ref, channelAxis }: Weight): ComparedWeight {
  return {
    name: ref.name,
    async load() {
      const values = Float32Array.from(toNumbers(await readWeight(ref)));
      const rows = ref.dims[channelAxis];
      return { values: channelsFirst(values, ref.dims, channelAxis), rows, columns: values.length / rows };
    },
  };
}
