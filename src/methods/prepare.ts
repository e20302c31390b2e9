import { foldBatchNorm } from "#model/foldBatchNorm";
import { foldPad } from "#model/foldPad";
import { foldConstants } from "#model/constantFolding";
import { hoistConstants } from "#model/hoistConstants";
import type { Model, TensorRef } from "#model/model";
import { raiseOpset } from "#model/opset";
import { inferShapes } from "#model/shapes";
import type { Known } from "#model/ops/types";
import { sizeOf } from "#model/tensor";

export interface Prepared {
  readonly model: Model;
  readonly shapes: ReadonlyMap<string, Known>;
}

/**
 * The model as quantization wants it, computing the same: constants evaluated, normalizations and paddings folded into the
 * layers beside them, weights of subgraphs in the main graph, at operator set `opset` or newer. `inputShapes` fixes symbolic dims for cost and shape questions.
 */
export async function prepare(model: Model, opset: number, inputShapes?: Record<string, number[]>): Promise<Prepared> {
  const options = inputShapes === undefined ? {} : { inputShapes };
  const folded = await foldConstants(raiseOpset(model, opset, await inferShapes(model, options)));
  const fused = await foldBatchNorm(folded, await inferShapes(folded, options));
  const settled = hoistConstants(await foldPad(await foldConstants(fused)), isWeight);
  return { model: settled, shapes: await inferShapes(settled, options) };
}

/** Constants of subgraphs that are big enough to be worth storing in another form. */
function isWeight({ element, dims }: TensorRef): boolean {
  return element === "float32" && dims.length >= 2 && sizeOf(dims) >= 1024;
}
