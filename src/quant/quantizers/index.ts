/** All quantizers. A key is the quantizer's name, its folder and its page in docs/quantizers/. */
import { LowbitError } from "#base/errors";
import { hadamardOrder } from "#math/hadamard";
import { refuseNonFinite } from "#quant/affine";
import type { QTensor } from "#quant/qtensor";
import { binary } from "#quant/quantizers/binary/binary";
import { kmeans } from "#quant/quantizers/kmeans/kmeans";
import { log } from "#quant/quantizers/log/log";
import { product } from "#quant/quantizers/product/product";
import { residual } from "#quant/quantizers/residual/residual";
import { ternary } from "#quant/quantizers/ternary/ternary";
import { vector } from "#quant/quantizers/vector/vector";
import { dfp } from "#quant/quantizers/dfp/dfp";
import { fixed } from "#quant/quantizers/fixed/fixed";
import { ggml } from "#quant/quantizers/ggml/ggml";
import { linear } from "#quant/quantizers/linear/linear";
import { bitsandbytes } from "#quant/quantizers/bitsandbytes/bitsandbytes";
import { float } from "#quant/quantizers/float/float";
import { microexponent } from "#quant/quantizers/microexponent/microexponent";
import { mx } from "#quant/quantizers/mx/mx";
import { nvfp4 } from "#quant/quantizers/nvfp4/nvfp4";
import { vsq } from "#quant/quantizers/vsq/vsq";
import { drawRotation, rotate, rotateImportance } from "#quant/rotation";
import { readSchemeText } from "#quant/schemeText";
import type { Matrix, Quantizer, QuantizeOptions } from "#quant/types";

export const quantizers = {
  linear,
  fixed,
  dfp,
  kmeans,
  binary,
  ternary,
  log,
  vector,
  product,
  residual,
  float,
  bitsandbytes,
  mx,
  nvfp4,
  vsq,
  microexponent,
  ggml,
} as const satisfies Readonly<Record<string, Quantizer>>;

export type QuantizerName = keyof typeof quantizers;

/** A scheme together with the quantizer that reads it. */
export interface TensorScheme {
  readonly quantizer: Quantizer;
  readonly scheme: unknown;
  /** Whether columns are rotated at random before: see rotation. */
  readonly hadamard: boolean;
  /** Normalized. */
  readonly text: string;
}

/**
 * Reads `int4/group:32`, `kmeans:16`, `nf4/group:64`, …, and any of them with `/hadamard`; usage/scheme for what no quantizer reads.
 */
export function tensorScheme(text: string): TensorScheme {
  const words = text.trim().split("/");
  const own = words.filter((word, i) => i === 0 || word !== "hadamard");
  const hadamard = own.length < words.length;
  const parts = readSchemeText(own.join("/"));
  for (const quantizer of Object.values<Quantizer>(quantizers)) {
    const scheme = quantizer.parse(parts);
    if (scheme !== undefined)
      return { quantizer, scheme, hadamard, text: quantizer.text(scheme) + (hadamard ? "/hadamard" : "") };
  }
  const examples = Object.values<Quantizer>(quantizers).map((quantizer) => quantizer.examples[0]);
  throw new LowbitError("usage/scheme", `${text} is no scheme that a quantizer reads`, {
    hint: `for example ${examples.join(", ")}`,
  });
}

/** Why matrices of so many rows and columns cannot have a scheme, and what could; undefined where they can. */
export function unfit(
  { quantizer, scheme, hadamard }: TensorScheme,
  rows: number,
  columns: number,
): string | undefined {
  if (hadamard && hadamardOrder(columns) === 1)
    return `no Hadamard matrix rotates its ${columns} columns: their number is odd`;
  return quantizer.unfit?.(rows, columns, scheme);
}

/** Quantizes a matrix as a scheme says. Throws usage/scheme, quant/scheme, quant/range and quant/non-finite. */
export function quantizeMatrix(x: Matrix, scheme: TensorScheme | string, options: QuantizeOptions): QTensor {
  const { quantizer, scheme: wish, hadamard, text } = typeof scheme === "string" ? tensorScheme(scheme) : scheme;
  if (!hadamard) return quantizer.quantize(x, wish, options);
  refuseNonFinite(x.values);
  const rotation = drawRotation(x.columns, options.rng);
  const { importance, rng } = options;
  const rotated = importance === undefined ? { rng } : { rng, importance: rotateImportance(importance, rotation) };
  return { ...quantizer.quantize(rotate(x, rotation), wish, rotated), scheme: text, rotation };
}
