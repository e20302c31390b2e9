/** Quantizes a small graph and says how much of its answer is left, in ONNX Runtime and by the operators' definitions. */
import { LowbitError } from "#base/errors";
import { createRng } from "#base/rng";
import { normal } from "#math/normal";
import { recipe } from "#methods/recipes";
import type { Recipe } from "#methods/types";
import type { Model } from "#model/model";
import type { Session, Tensors } from "#model/session";
import { float32, fromNumbers, type Tensor, toNumbers } from "#model/tensor";
import { createReferenceSession } from "#runtimes/reference/reference";
import { ortNode } from "#runtimes/ortNode/ortNode.node";
import { sessionOpener } from "#verbs/environment";
import { createNodeEnvironment } from "#verbs/nodeEnvironment.node";
import { type Quantized, quantizeModel } from "#verbs/quantizeModel";

export const environment = createNodeEnvironment("unused: nothing is measured here");
export const openSession = sessionOpener(environment, ortNode);

/** Standard normal numbers times `scale`, the same for the same seed. */
export function gauss(dims: readonly number[], seed: number | string = 1, scale = 1): Tensor {
  const rng = createRng(`${seed} ${dims.join("x")}`);
  const size = dims.reduce((product, dim) => product * dim, 1);
  return float32(
    dims,
    Float32Array.from({ length: size }, () => scale * normal(rng)),
  );
}

/** A weight of these dims, so scaled that a layer's outputs are about as large as its inputs. */
export function kernel(dims: readonly number[], seed: number | string = 1, fan = dims.slice(1)): Tensor {
  return gauss(dims, seed, 1 / Math.sqrt(fan.reduce((product, dim) => product * dim, 1)));
}

export interface Outcome {
  readonly quantized: Quantized;
  /** Decibels of the quantized model's outputs against the float model's, each in ONNX Runtime. */
  readonly sqnrDb: number;
  /** The same where the quantized file is computed by the operators' definitions. */
  readonly definedDb: number;
  /** Nodes that compute on codes. */
  readonly onCodes: number;
}

/** `samples` calibrate and judge; floats are normal, whole numbers below `below`. */
export async function quantizeGraph(
  model: Model,
  wish: string | Recipe,
  samples: readonly Tensors[],
): Promise<Outcome> {
  const chosen: Recipe = { ...(typeof wish === "string" ? recipe(wish) : wish), prefer: "size", smallestWeight: 16 };
  const quantized = await quantizeModel(model, {
    recipe: chosen,
    openSession,
    target: ortNode.name,
    calibration: { name: "made", length: samples.length, feeds: async (i) => samples[i] },
  });
  const sessions: Session[] = [];
  try {
    sessions.push(await openSession(model), await openSession(quantized.model));
    sessions.push(await createReferenceSession(quantized.model));
    const [float, deployed, defined] = sessions;
    return {
      quantized,
      sqnrDb: await sqnr(float, deployed, samples),
      definedDb: await sqnr(float, defined, samples),
      onCodes: quantized.plan.nodes.filter(({ compute }) => compute !== "float").length,
    };
  } finally {
    for (const session of sessions) await session.close();
  }
}

/** Signal-to-noise ratio over all float outputs and samples; −∞ where an output is not finite or of another shape or type. */
async function sqnr(reference: Session, judged: Session, samples: readonly Tensors[]): Promise<number> {
  let signal = 0;
  let noise = 0;
  for (const feeds of samples) {
    const [expected, found] = [await reference.run(feeds), await judged.run(feeds)];
    for (const [name, value] of Object.entries(expected)) {
      const other = found[name];
      if (other?.type !== value.type || String(other.dims) !== String(value.dims)) return Number.NEGATIVE_INFINITY;
      if (value.type === "string") continue;
      const [x, y] = [toNumbers(value), toNumbers(other)];
      for (let i = 0; i < x.length; i++) {
        if (!Number.isFinite(x[i])) continue;
        signal += x[i] * x[i];
        noise += (y[i] - x[i]) * (y[i] - x[i]);
      }
    }
  }
  if (Number.isNaN(noise)) return Number.NEGATIVE_INFINITY;
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

/** Feeds for a graph's declared inputs: symbols are 2. */
export function feedsFor(model: Model, seed: number | string = 1): Tensors {
  const rng = createRng(`feeds ${seed}`);
  return Object.fromEntries(
    model.graph.inputs
      .filter(({ name }) => !model.graph.initializers.has(name))
      .map(({ name, type }): [string, Tensor] => {
        if (type?.kind !== "tensor" || type.element === undefined) throw new Error(`${name} has no type`);
        const dims = (type.shape ?? []).map((dim) => (typeof dim === "number" ? dim : 2));
        const size = dims.reduce((product, dim) => product * dim, 1);
        const isFloat = type.element.startsWith("float");
        const values = Array.from({ length: size }, () => (isFloat ? normal(rng) : rng.below(4)));
        return [name, fromNumbers(type.element, dims, values)];
      }),
  );
}

/** The code of a refusal, or the outcome. Anything else that is thrown is a fault of ours. */
export async function attempt(work: Promise<Outcome>): Promise<Outcome | string> {
  return work.catch((error: unknown) => {
    if (error instanceof LowbitError) return `${error.code}: ${error.message}`;
    throw error;
  });
}
