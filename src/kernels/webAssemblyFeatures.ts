/** What the WebAssembly engine at hand has, found by asking it whether tiny modules are valid. */
export interface WebAssemblyFeatures {
  /** 128-bit vectors: all kernels need them. */
  readonly simd: boolean;
  /** Vector instructions whose last bits the processor decides (dot products of int8, fused multiply-add). */
  readonly relaxedSimd: boolean;
  /** Shared memory and atomics, and the page may use them (in browsers: cross-origin isolated). */
  readonly threads: boolean;
}

/** "\0asm", version 1. */
const head = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** A module of one function: its type section, sections before the code, and the code between the locals and the end. */
function moduleOf(
  type: readonly number[],
  sections: readonly number[],
  code: readonly number[],
): Uint8Array<ArrayBuffer> {
  const body = [0x00, ...code, 0x0b];
  const typeSection = [0x01, type.length + 1, 0x01, ...type];
  const codeSection = [0x0a, body.length + 2, 0x01, body.length, ...body];
  return Uint8Array.from([...head, ...typeSection, 0x03, 0x02, 0x01, 0x00, ...sections, ...codeSection]);
}

const givesVector = [0x60, 0x00, 0x01, 0x7b];
const givesNothing = [0x60, 0x00, 0x00];
/** i32.const 0, i8x16.splat */
const zeros = [0x41, 0x00, 0xfd, 0x0f];
/** A memory of one page, shared. */
const sharedMemory = [0x05, 0x04, 0x01, 0x03, 0x01, 0x01];

const modules = {
  simd: moduleOf(givesVector, [], zeros),
  // i8x16.relaxed_swizzle
  relaxedSimd: moduleOf(givesVector, [], [...zeros, ...zeros, 0xfd, 0x80, 0x02]),
  // i32.const 0, i32.atomic.load, drop
  threads: moduleOf(givesNothing, sharedMemory, [0x41, 0x00, 0xfe, 0x10, 0x02, 0x00, 0x1a]),
};

/** Undefined where there is no WebAssembly at all. */
export function webAssemblyFeatures(): WebAssemblyFeatures | undefined {
  if (typeof WebAssembly === "undefined") return undefined;
  const isolated = (globalThis as { readonly crossOriginIsolated?: boolean }).crossOriginIsolated ?? true;
  return {
    simd: WebAssembly.validate(modules.simd),
    relaxedSimd: WebAssembly.validate(modules.relaxedSimd),
    threads: typeof SharedArrayBuffer !== "undefined" && isolated && WebAssembly.validate(modules.threads),
  };
}
