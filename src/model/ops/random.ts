/**
 * Operators that draw random numbers: their types and shapes. They have no forward, since no two runtimes draw the same
 * numbers from a seed; a result that depends on them is no reference.
 */
import { intAttribute, intsAttribute } from "#model/attributes";
import type { Op } from "#model/ops/types";
import { elementTypeOf } from "#model/tensor";

/** The shape is an attribute. */
function drawn(name: string): Op {
  return {
    domain: "",
    name,
    infer: ({ node }) => [
      { element: elementTypeOf(intAttribute(node, "dtype", 1)), shape: intsAttribute(node, "shape") },
    ],
  };
}

/** The shape is the input's, and the type too unless stated. */
function drawnLike(name: string): Op {
  return {
    domain: "",
    name,
    infer: ({ node, inputs: [x] }) => [
      { element: elementTypeOf(intAttribute(node, "dtype", 0)) ?? x?.element, shape: x?.shape },
    ],
  };
}

/** Draws sample_size classes for each row of unnormalized log-probabilities. */
const Multinomial: Op = {
  domain: "",
  name: "Multinomial",
  infer: ({ node, inputs: [x] }) => [
    {
      element: elementTypeOf(intAttribute(node, "dtype", 6)),
      shape: [x?.shape?.[0] ?? null, intAttribute(node, "sample_size", 1)],
    },
  ],
};

export const randomOps: readonly Op[] = [
  drawn("RandomNormal"),
  drawn("RandomUniform"),
  drawnLike("RandomNormalLike"),
  drawnLike("RandomUniformLike"),
  drawnLike("Bernoulli"),
  Multinomial,
];
