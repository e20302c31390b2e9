/**
 * What each kernel is timed on: enough numbers that calls do not count, in the kernels' own memory, so that no copies do. A bench's
 * work takes between some and some tens of milliseconds in plain TypeScript.
 */
import type { KernelName, Kernels } from "#kernels/kernels";
import { bfloat16, float8e4m3fn, float16 } from "#math/minifloat";

export interface KernelBench {
  readonly kernel: KernelName;
  /** What is done, in a few words. */
  readonly title: string;
  readonly unit: "GB/s" | "GOP/s" | "Gelem/s";
  /** Bytes read and written, operations (a product and its sum are two), or numbers, of one run. */
  readonly amount: number;
  /** Makes the arrays; what it gives back is timed. */
  prepare(kernels: Kernels): () => void;
}

/** Bytes of `allocate` that a bench may use. */
export const benchBytes = 32 * 1024 * 1024;

const million = 1 << 20;
const side = 1024;
/** Of matrix products: what plain TypeScript does in a tolerable time. */
const small = 256;

const per = (unit: KernelBench["unit"], amount: number) => ({ unit, amount });

export const kernelBenches: readonly KernelBench[] = [
  {
    kernel: "extremes",
    title: "least and greatest of a tensor",
    ...per("GB/s", 4 * million),
    prepare: (kernels) => {
      const [x, low, high] = [waves(kernels, million), new Float32Array(1), new Float32Array(1)];
      return () => kernels.extremes(x, x.length, low, high);
    },
  },
  {
    kernel: "absmax",
    title: "greatest magnitudes of groups of 32",
    ...per("GB/s", 4 * million),
    prepare: (kernels) => {
      const [x, out] = [waves(kernels, million), kernels.allocate(Float32Array, million / 32)];
      return () => kernels.absmax(x, 32, out);
    },
  },
  {
    kernel: "histogram",
    title: "counts in 2,048 bins",
    ...per("Gelem/s", million),
    prepare: (kernels) => {
      const [x, counts] = [waves(kernels, million), new Float64Array(2048)];
      return () => kernels.histogram(x, 2 ** -10, -1024, counts);
    },
  },
  ...(["int8 of a tensor", "int8 of groups of 32", "int8 of columns"] as const).map(
    (title): KernelBench => ({
      kernel: "quantizeAffine",
      title,
      ...per("GB/s", 5 * million),
      prepare: (kernels) => {
        const run = title === "int8 of a tensor" ? million : title === "int8 of columns" ? 1 : 32;
        const scale = new Float32Array(run === 1 ? side : million / run).fill(1 / 127);
        const [x, codes] = [waves(kernels, million), kernels.allocate(Int8Array, million)];
        return () => kernels.quantizeAffine(x, { scale, zeroPoint: null, run, min: -127, max: 127 }, codes);
      },
    }),
  ),
  ...([true, false] as const).map(
    (transposed): KernelBench => ({
      kernel: "quantizeBlocks",
      title: `int4 in blocks of 32, ${transposed ? "[N, K]" : "[K, N]"}`,
      ...per("GB/s", 4 * million + million / 2 + million / 8),
      prepare: (kernels) => {
        const [w, codes] = [waves(kernels, million), kernels.allocate(Uint8Array, million / 2)];
        const out = { codes, scales: new Float32Array(million / 32), zeros: new Uint8Array(0) };
        const layout = { k: side, n: side, transposed };
        return () => kernels.quantizeBlocks(w, layout, { bits: 4, size: 32, symmetric: true }, out);
      },
    }),
  ),
  {
    kernel: "packCodes",
    title: "codes of 4 bits, two a byte",
    ...per("GB/s", 1.5 * million),
    prepare: (kernels) => {
      const [codes, packed] = [kernels.allocate(Uint8Array, million), kernels.allocate(Uint8Array, million / 2)];
      codes.forEach((_, i) => (codes[i] = i & 15));
      return () => kernels.packCodes(codes, 4, packed);
    },
  },
  ...Object.entries({ float16, bfloat16, float8e4m3fn }).flatMap(([name, format]): KernelBench[] => {
    const bytes = format.bits / 8;
    const codesOf = (kernels: Kernels): Uint8Array | Uint16Array =>
      bytes === 2 ? kernels.allocate(Uint16Array, million / 4) : kernels.allocate(Uint8Array, million / 4);
    return [
      {
        kernel: "encodeFloats",
        title: `float32 to ${name}`,
        ...per("GB/s", ((4 + bytes) * million) / 4),
        prepare: (kernels) => {
          const [x, codes] = [waves(kernels, million / 4), codesOf(kernels)];
          return () => kernels.encodeFloats(x, format, true, codes);
        },
      },
      {
        kernel: "decodeFloats",
        title: `${name} to float32`,
        ...per("GB/s", ((4 + bytes) * million) / 4),
        prepare: (kernels) => {
          const [x, codes] = [waves(kernels, million / 4), codesOf(kernels)];
          kernels.encodeFloats(x, format, true, codes);
          return () => kernels.decodeFloats(codes, format, x);
        },
      },
    ];
  }),
  ...[16, 256].map(
    (entries): KernelBench => ({
      kernel: "encodeNearest",
      title: `nearest of ${entries}`,
      ...per("Gelem/s", million),
      prepare: (kernels) => {
        const [x, codes] = [waves(kernels, million), kernels.allocate(Uint8Array, million)];
        const table = Float32Array.from({ length: entries }, (_, i) => (2 * i + 1) / entries - 1);
        return () => kernels.encodeNearest(x, table, codes);
      },
    }),
  ),
  {
    kernel: "affineErrors",
    title: "errors of 32 scales",
    ...per("Gelem/s", million),
    prepare: (kernels) => {
      const x = waves(kernels, million / 32);
      const scales = Float32Array.from({ length: 32 }, (_, i) => (i + 1) / 224);
      const candidates = { scales, lowest: scales.map(() => -7), highest: scales.map(() => 7) };
      const errors = new Float64Array(32);
      return () => kernels.affineErrors(x, candidates, errors);
    },
  },
  {
    kernel: "gemmFloat32",
    title: "float32 product",
    ...per("GOP/s", 2 * small ** 3),
    prepare: (kernels) => {
      const [a, b] = [waves(kernels, small * small), waves(kernels, small * small)];
      const c = new Float32Array(small * small);
      return () => kernels.gemmFloat32({ m: small, n: small, k: small }, a, b, c);
    },
  },
  {
    kernel: "gemmInt8",
    title: "int8 product",
    ...per("GOP/s", 2 * small ** 3),
    prepare: (kernels) => {
      const a = Int8Array.from({ length: small * small }, (_, i) => i * 37);
      const c = new Int32Array(small * small);
      return () => kernels.gemmInt8({ m: small, n: small, k: small }, a, a, c);
    },
  },
  {
    kernel: "gemmInt8x7",
    title: "int8 by 7-bit product",
    ...per("GOP/s", 2 * small ** 3),
    prepare: (kernels) => {
      const a = Int8Array.from({ length: small * small }, (_, i) => i * 37);
      const b = Uint8Array.from(a, (v) => v & 127);
      const c = new Int32Array(small * small);
      return () => kernels.gemmInt8x7({ m: small, n: small, k: small }, a, b, c);
    },
  },
  {
    kernel: "gemmBits",
    title: "1-bit product",
    ...per("GOP/s", 2 * small * small * 2048),
    prepare: (kernels) => {
      const k = 2048 / 32;
      const a = Uint32Array.from({ length: small * k }, (_, i) => Math.imul(i, 2654435761));
      const c = new Int32Array(small * small);
      return () => kernels.gemmBits({ m: small, n: small, k }, a, a, c);
    },
  },
];

/** Numbers from −1 to 1. */
function waves(kernels: Kernels, length: number): Float32Array {
  const x = kernels.allocate(Float32Array, length);
  const part = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
  for (let i = 0; i < length; i += part.length) x.set(part.subarray(0, length - i), i);
  return x;
}
