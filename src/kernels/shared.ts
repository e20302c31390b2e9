import { createKernels, type Kernels } from "#kernels/kernels";

let kernels: Kernels | undefined;

/** The fastest kernels there are here, made when first asked for. They keep nothing between calls but their compiled modules. */
export function sharedKernels(): Kernels {
  kernels ??= createKernels();
  return kernels;
}
