import type { Op } from "#model/ops/types";

/** Operators that networks are made of: products, convolutions, pooling, normalization, recurrence, quantization. */
export const neuralOps: readonly Op[] = [];
