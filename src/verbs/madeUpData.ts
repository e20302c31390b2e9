import { type Diagnostic, LowbitError } from "#base/errors";
import { throwIfAborted } from "#base/interrupt";
import { isFree } from "#data/matchInput";
import { modelInputs } from "#data/modelInputs";
import { randomData } from "#data/random/randomData";
import type { Dataset, ModelInput } from "#data/types";
import type { Dim, Model } from "#model/model";
import type { OpenSession } from "#model/session";
import { vocabularySizes } from "#verbs/vocabularySizes";

export interface MadeUpOptions {
  readonly seed: number;
  readonly samples: number;
  readonly signal?: AbortSignal;
}

/** Sizes tried where a model leaves an axis open: images and sentences, then single steps, photos, and windows of sound. */
const sizes = [64, 16, 1, 224, 512, 2_048, 16_000];

/** Elements of an input above which a size is not tried: a window of sound is no side of an image. */
const mostElements = 2 ** 24;

/** Random samples, ids from the whole vocabulary, with the first sizes of open axes on which the model runs. Throws what it says on all of them. */
export async function madeUpData(
  model: Model,
  openSession: OpenSession,
  { seed, samples, signal }: MadeUpOptions,
): Promise<Dataset> {
  const inputs = modelInputs(model);
  const below = vocabularySizes(model);
  if (openAxes(inputs).length === 0) return randomData(inputs, { seed, samples, below });
  const session = await openSession(model);
  let refusal: unknown;
  try {
    for (const size of sizes) {
      throwIfAborted(signal);
      const fixed = withSize(inputs, size);
      if (fixed.some(({ dims = [] }) => dims.reduce<number>((product, dim) => product * Number(dim), 1) > mostElements))
        continue;
      const data = randomData(fixed, { seed, samples, below, dims: nothingPast(fixed) });
      try {
        await session.run((await data.sample(0)).inputs);
        return { ...data, diagnostics: [...data.diagnostics, ...sizesTaken(inputs, fixed)] };
      } catch (error) {
        if (!(error instanceof LowbitError) || error.code !== "runtime/run") throw error;
        refusal ??= error;
      }
    }
  } finally {
    await session.close();
  }
  throw refusal;
}

/** Open axes that are no batch: [input, axis]. */
function openAxes(inputs: readonly ModelInput[]): (readonly [input: ModelInput, axis: number])[] {
  return inputs.flatMap((input) =>
    (input.dims ?? []).flatMap((dim, axis) =>
      isFree(dim) && !isBatch(inputs, input, axis) ? [[input, axis] as const] : [],
    ),
  );
}

/** The first axis of anything but a plain list counts samples, and so does its symbol elsewhere. */
function isBatch(inputs: readonly ModelInput[], { dims = [] }: ModelInput, axis: number): boolean {
  const dim = dims[axis];
  if (axis === 0 && dims.length > 1) return true;
  return (
    typeof dim === "string" &&
    dim !== "?" &&
    inputs.some((other) => (other.dims?.length ?? 0) > 1 && other.dims?.[0] === dim)
  );
}

/** Batches of one, `size` elsewhere but in caches of the past. */
function withSize(inputs: readonly ModelInput[], size: number): ModelInput[] {
  const open = new Set(openAxes(inputs).map(([{ name }, axis]) => `${name} ${axis}`));
  return inputs.map((input) => ({
    ...input,
    dims: (input.dims ?? [1]).map((dim, axis) => {
      if (!isFree(dim)) return dim;
      if (!open.has(`${input.name} ${axis}`)) return 1;
      return isPast(dim) ? dim : size;
    }),
  }));
}

/** What a cache of the past holds is nothing yet. */
function nothingPast(inputs: readonly ModelInput[]): Record<string, number> {
  return Object.fromEntries(inputs.flatMap(({ dims = [] }) => dims.filter(isPast).map((name) => [name, 0])));
}

function isPast(dim: Dim): dim is string {
  return typeof dim === "string" && /past/i.test(dim);
}

function sizesTaken(inputs: readonly ModelInput[], fixed: readonly ModelInput[]): Diagnostic[] {
  const shown = fixed.filter(({ dims }, i) => String(dims) !== String(inputs[i].dims));
  const shapes = shown.map(({ name, dims = [] }) => `${name} [${dims.join(", ")}]`);
  const message = `the model leaves sizes open; the made-up samples have ${shapes.join(", ")}`;
  return [{ code: "data/sizes", level: "info", message }];
}
