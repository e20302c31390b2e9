/**
 * The kernels: the loops over many numbers that everything else is made of. Each is a folder: reference.ts says in plain
 * TypeScript what it computes, and wasm.ts does the same on vectors.
 *
 *   const { low, high } = …;
 *   createKernels().extremes(weights, weights.length, low, high);
 */
import { assemble } from "#kernels/assembler/assemble";
import { absmax } from "#kernels/absmax/reference";
import { fastAbsmax } from "#kernels/absmax/wasm";
import { affineErrors } from "#kernels/affineErrors/reference";
import { fastAffineErrors } from "#kernels/affineErrors/wasm";
import { encodeNearest } from "#kernels/encodeNearest/reference";
import { fastEncodeNearest } from "#kernels/encodeNearest/wasm";
import { Engine, type Numbers } from "#kernels/engine";
import { extremes } from "#kernels/extremes/reference";
import { fastExtremes } from "#kernels/extremes/wasm";
import { decodeFloats, encodeFloats } from "#kernels/floatCodes/reference";
import { fastDecodeFloats, fastEncodeFloats } from "#kernels/floatCodes/wasm";
import { fastGemmBits, fastGemmFloat32, fastGemmInt8, fastGemmInt8x7 } from "#kernels/gemm/fast";
import { gemmBits, gemmFloat32, gemmInt8, gemmInt8x7 } from "#kernels/gemm/reference";
import { histogram } from "#kernels/histogram/reference";
import { fastHistogram } from "#kernels/histogram/wasm";
import { packCodes } from "#kernels/packCodes/reference";
import { fastPackCodes } from "#kernels/packCodes/wasm";
import { quantizeAffine } from "#kernels/quantizeAffine/reference";
import { fastQuantizeAffine } from "#kernels/quantizeAffine/wasm";
import { quantizeBlocks } from "#kernels/quantizeBlocks/reference";
import { fastQuantizeBlocks } from "#kernels/quantizeBlocks/fast";
import { webAssemblyFeatures } from "#kernels/webAssemblyFeatures";

/** What computes: plain TypeScript, WebAssembly's vectors, or these with the instructions that are faster on some processors. */
export type Variant = "reference" | "simd128" | "relaxed";

/** All kernels in plain TypeScript. */
const references = {
  absmax,
  affineErrors,
  decodeFloats,
  encodeFloats,
  encodeNearest,
  extremes,
  gemmBits,
  gemmFloat32,
  gemmInt8,
  gemmInt8x7,
  histogram,
  packCodes,
  quantizeAffine,
  quantizeBlocks,
};

const fast: { readonly [N in keyof typeof references]: (engine: Engine) => (typeof references)[N] } = {
  absmax: fastAbsmax,
  affineErrors: fastAffineErrors,
  decodeFloats: fastDecodeFloats,
  encodeFloats: fastEncodeFloats,
  encodeNearest: fastEncodeNearest,
  extremes: fastExtremes,
  gemmBits: fastGemmBits,
  gemmFloat32: fastGemmFloat32,
  gemmInt8: fastGemmInt8,
  gemmInt8x7: fastGemmInt8x7,
  histogram: fastHistogram,
  packCodes: fastPackCodes,
  quantizeAffine: fastQuantizeAffine,
  quantizeBlocks: fastQuantizeBlocks,
};

export type KernelName = keyof typeof references;
export const kernelNames = Object.keys(references) as readonly KernelName[];

export type Kernels = typeof references & {
  readonly variant: Variant;
  /** An array, zero-filled, on which kernels work without copying it. Throws limit/memory beyond the `bytes` they were created with. */
  allocate: Engine["allocate"];
  /** Sizes in bytes of the modules compiled so far, by name. */
  readonly modules: ReadonlyMap<string, number>;
};

export interface KernelOptions {
  /** Default: the fastest that this engine has. */
  readonly variant?: Variant;
  /** Room for `allocate`. Default 0. */
  readonly bytes?: number;
}

/** Kernels of a variant. All variants give the same results, bit for bit, where a kernel's reference.ts does not say otherwise. */
export function createKernels({ variant = bestVariant(), bytes = 0 }: KernelOptions = {}): Kernels {
  if (variant === "reference")
    return {
      ...references,
      variant,
      allocate: (Type, length) => new Type(new ArrayBuffer(length * Type.BYTES_PER_ELEMENT), 0, length),
      modules: new Map(),
    };
  const engine = new Engine({ relaxed: variant === "relaxed", bytes });
  const kernels = Object.fromEntries(kernelNames.map((name) => [name, fast[name](engine)]));
  return {
    // by construction: each name with its kernel
    ...(kernels as typeof references),
    variant,
    allocate: <A extends Numbers>(...of: Parameters<typeof engine.allocate<A>>) => engine.allocate(...of),
    get modules() {
      return engine.modules;
    },
  };
}

/** The fastest variant that works here. */
export function bestVariant(): Variant {
  return availableVariants()[0];
}

/** The variants that work here, fastest first. */
export function availableVariants(): readonly Variant[] {
  const features = webAssemblyFeatures();
  if (features?.simd !== true || !mayCompile()) return ["reference"];
  return features.relaxedSimd ? ["relaxed", "simd128", "reference"] : ["simd128", "reference"];
}

/** Pages may be forbidden to compile (Content-Security-Policy without wasm-unsafe-eval). */
function mayCompile(): boolean {
  try {
    return new WebAssembly.Module(assemble({}, {})) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}
