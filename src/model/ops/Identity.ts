import { movement } from "#model/ops/move";

/** The input, unchanged. */
export const Identity = movement("Identity", ({ x }) => ({ shape: x.shape, offsets: "same" }));
