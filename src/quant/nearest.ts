import { sharedKernels } from "#kernels/shared";

/** Writes for each number the index of the nearest entry of an ascending table; halfway between two, the lower one. */
export function encodeNearest(x: Float32Array, table: ArrayLike<number>, codes: Uint8Array | Uint16Array): void {
  sharedKernels().encodeNearest(x, table, codes);
}
