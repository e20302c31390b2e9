/** All quantizers. A key is the quantizer's name, its folder and its page in docs/quantizers/. */
import { LowbitError } from "#base/errors";
import type { QTensor } from "#quant/qtensor";
import { kmeans } from "#quant/quantizers/kmeans/kmeans";
import { linear } from "#quant/quantizers/linear/linear";
import { readSchemeText } from "#quant/schemeText";
import type { Matrix, Quantizer, QuantizeOptions } from "#quant/types";

export const quantizers = { linear, kmeans } as const satisfies Readonly<Record<string, Quantizer>>;

export type QuantizerName = keyof typeof quantizers;

/** A scheme together with the quantizer that reads it. */
export interface TensorScheme {
  readonly quantizer: Quantizer;
  readonly scheme: unknown;
  /** Normalized. */
  readonly text: string;
}

/** Reads `int4/group:32`, `kmeans:16`, `nf4/group:64`, …; usage/scheme for what no quantizer reads. */
export function tensorScheme(text: string): TensorScheme {
  const parts = readSchemeText(text);
  for (const quantizer of Object.values<Quantizer>(quantizers)) {
    const scheme = quantizer.parse(parts);
    if (scheme !== undefined) return { quantizer, scheme, text: quantizer.text(scheme) };
  }
  const examples = Object.values<Quantizer>(quantizers).map((quantizer) => quantizer.examples[0]);
  throw new LowbitError("usage/scheme", `${text} is no scheme that a quantizer reads`, {
    hint: `for example ${examples.join(", ")}`,
  });
}

/** Quantizes a matrix as a scheme says. Throws usage/scheme, quant/scheme and quant/non-finite. */
export function quantizeMatrix(x: Matrix, scheme: TensorScheme | string, options: QuantizeOptions): QTensor {
  const { quantizer, scheme: wish } = typeof scheme === "string" ? tensorScheme(scheme) : scheme;
  return quantizer.quantize(x, wish, options);
}
