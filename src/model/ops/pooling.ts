/** What the pools share: their window, their shape, their cost. */
import { LowbitError } from "#base/errors";
import { intsAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import { countOf, placeOf } from "#model/ops/operand";
import type { Cost, Known } from "#model/ops/types";
import { knownWindow, slidingWindow, type Window } from "#model/ops/window";
import { sizeOf } from "#model/tensor";

/** A pool over x [batch, channels, …]: every plane is swept by the same window. */
export interface Pooling {
  readonly planes: number;
  readonly window: Window;
  readonly dims: readonly number[];
}

export function poolingOf(node: Node, x: readonly number[]): Pooling {
  const kernel = kernelOf(node);
  const [batch, channels, ...input] = x;
  const window = slidingWindow(node, input, kernel);
  return { planes: batch * channels, window, dims: [batch, channels, ...window.output] };
}

export function poolingShape(node: Node, x: Known | undefined): readonly Dim[] | undefined {
  if (x?.shape === undefined) return undefined;
  const [batch, channels, ...input] = x.shape;
  const kernel = intsAttribute(node, "kernel_shape");
  if (kernel?.length !== input.length) return undefined;
  return [batch, channels, ...knownWindow(node, input, kernel).output];
}

/** `each` operations per window element, one more per output if `closing`. */
export function poolingCost(node: Node, y: Known | undefined, each: number, closing: number): Cost {
  return { macs: 0, flops: countOf(y) * (each * sizeOf(kernelOf(node)) + closing) };
}

function kernelOf(node: Node): number[] {
  const kernel = intsAttribute(node, "kernel_shape");
  if (kernel !== undefined && kernel.length > 0) return kernel;
  throw new LowbitError("model/attribute", `${node.op} lacks kernel_shape`, { at: placeOf(node) });
}
