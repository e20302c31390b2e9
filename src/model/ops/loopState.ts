/** What Loop and Scan share: a body that is run again and again on its own outputs. */
import { LowbitError } from "#base/errors";
import { graphAttribute } from "#model/attributes";
import type { Graph, Node } from "#model/model";
import { eitherOf } from "#model/ops/known";
import { placeOf } from "#model/ops/operand";
import { type Known, unknown } from "#model/ops/types";
import { allocate, sizeOf, type Tensor } from "#model/tensor";

export function bodyOf(node: Node): Graph {
  const body = graphAttribute(node, "body");
  if (body !== undefined) return body;
  throw new LowbitError("model/attribute", `${node.op} has no body`, { at: placeOf(node) });
}

/**
 * What holds of loop-carried values in every iteration: starts from the first iteration's and forgets what the body
 * changes, until nothing changes any more. `step` infers one iteration and returns all outputs of the body, the state
 * first.
 */
export function settle(
  first: readonly Known[],
  step: (state: readonly Known[]) => { readonly state: readonly Known[]; readonly outputs: readonly Known[] },
): { readonly state: readonly Known[]; readonly outputs: readonly Known[] } {
  let state: readonly Known[] = first.map(({ element, shape }) => ({ element, shape }));
  for (;;) {
    const next = step(state);
    const joined = state.map((known, i) => eitherOf(known, next.state[i] ?? unknown));
    // each round only forgets, so this ends after as many rounds as there are dims
    if (JSON.stringify(joined) === JSON.stringify(state)) return { state, outputs: next.outputs };
    state = joined;
  }
}

/** What an output collected over no iterations is: empty, with the dims that the body declares for one slice. */
export function emptyStack(body: Graph, output: number): Tensor {
  const type = body.outputs[output]?.type;
  const declared = type?.kind === "tensor" ? type : undefined;
  const dims = [0, ...(declared?.shape ?? []).map((dim) => (typeof dim === "number" ? dim : 0))];
  const element = declared?.element ?? "float32";
  return { type: element, dims, data: allocate(element, sizeOf(dims)) };
}
