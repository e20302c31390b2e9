import type { Op } from "#model/ops/types";

/** Operators that move, compare, and compute element by element, and control flow. */
export const generalOps: readonly Op[] = [];
