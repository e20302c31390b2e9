import { Engine } from "#kernels/engine";
import { bestVariant } from "#kernels/kernels";

let engine: Engine | undefined;

/**
 * A kernel on the engine that all searches share, or its reference where there is no WebAssembly. On plain vectors only: relaxed
 * ones may fuse operations, and round otherwise.
 */
export function onEngine<K>(fast: (engine: Engine) => K, reference: K): K {
  if (bestVariant() === "reference") return reference;
  engine ??= new Engine({ relaxed: false, bytes: 16384 });
  return fast(engine);
}
