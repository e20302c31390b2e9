import { contentOf, inputOf } from "#model/ops/known";
import { bodyOf, emptyStack, settle } from "#model/ops/loopState";
import { stack } from "#model/ops/stack";
import type { Op } from "#model/ops/types";
import { int64, type Tensor } from "#model/tensor";

/**
 * Runs its body up to M times while a condition holds. The body takes (iteration, condition, state …) and gives
 * (condition, state …, slices …); the outputs are the last state and the slices of all iterations, stacked on a new
 * first axis.
 */
export const Loop: Op = {
  domain: "",
  name: "Loop",
  infer: (context) => {
    const body = bodyOf(context.node);
    const first = context.inputs.slice(2).map((_, i) => inputOf(context, i + 2));
    const { state, outputs } = settle(first, (current) => {
      const all = context.inferGraph(body, [
        { element: "int64", shape: [] },
        { element: "bool", shape: [] },
        ...current,
      ]);
      return { state: all.slice(1, 1 + first.length), outputs: all };
    });
    // the body always asks for another iteration, so all M are made
    const endless =
      contentOf(outputs[0])?.[0] === 1 && (context.inputs[1] === undefined || contentOf(context.inputs[1])?.[0] === 1);
    const count = (endless && contentOf(context.inputs[0])?.[0]) || null;
    const slices = outputs.slice(1 + first.length);
    return [...state, ...slices.map(({ element, shape }) => ({ element, shape: shape && [count, ...shape] }))];
  },
  forward: (context) => {
    const body = bodyOf(context.node);
    const [limit, condition, ...first] = context.inputs;
    const trips = limit === undefined ? Infinity : Number(limit.data[0]);
    let goesOn = condition === undefined || Boolean(condition.data[0]);
    let state = first.filter((value) => value !== undefined);
    const collected: Tensor[][] = body.outputs.slice(1 + state.length).map(() => []);
    for (let i = 0; i < trips && goesOn; i++) {
      const outputs = context.runGraph(body, [
        int64([], [i]),
        { type: "bool", dims: [], data: Uint8Array.of(1) },
        ...state,
      ]);
      goesOn = Boolean(outputs[0].data[0]);
      for (const [k, slices] of collected.entries()) slices.push(outputs[1 + state.length + k]);
      state = outputs.slice(1, 1 + state.length);
    }
    const count = state.length;
    return [
      ...state,
      ...collected.map((slices, k) => (slices.length > 0 ? stack(slices, 0) : emptyStack(body, 1 + count + k))),
    ];
  },
};
