import { foldBatchNorm } from "#model/foldBatchNorm";
import { foldConstants } from "#model/constantFolding";
import type { Model } from "#model/model";
import { raiseOpset } from "#model/opset";
import { inferShapes } from "#model/shapes";
import type { Known } from "#model/ops/types";

export interface Prepared {
  readonly model: Model;
  readonly shapes: ReadonlyMap<string, Known>;
}

/**
 * The model as quantization wants it, computing the same: constants evaluated, normalizations folded into the layers beside
 * them, at operator set `opset` or newer. `inputShapes` fixes symbolic dims for cost and shape questions.
 */
export async function prepare(model: Model, opset: number, inputShapes?: Record<string, number[]>): Promise<Prepared> {
  const options = inputShapes === undefined ? {} : { inputShapes };
  const folded = await foldConstants(raiseOpset(model, opset, await inferShapes(model, options)));
  const fused = await foldBatchNorm(folded, await inferShapes(folded, options));
  const settled = await foldConstants(fused);
  return { model: settled, shapes: await inferShapes(settled, options) };
}
