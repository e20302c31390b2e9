/**
 * Vector quantization: L neighbours of a row become the index of the nearest of K vectors; log₂K / L bits a weight. Gersho & Gray 1992,
 * "Vector Quantization and Signal Compression", ch. 10–11; for weights Gong et al. 2014, arXiv 1412.6115.
 */
import { quantizeVectors } from "#quant/quantizers/vector/quantizeVectors";
import { misfit, readVectorArgument } from "#quant/quantizers/vector/vectorShape";
import { readFlagsOf } from "#quant/sharing";
import { quantizer } from "#quant/types";

interface VectorScheme {
  /** L. */
  readonly length: number;
  /** K; 2 … 4,096. */
  readonly entries: number;
}

export const vector = quantizer<VectorScheme>({
  name: "vector",
  title: "A few neighbouring weights at once become one of K vectors, which are placed where such vectors are.",
  sources: ["Linde, Buzo & Gray 1980", "Gong et al. 2014, arXiv 1412.6115"],
  examples: ["vq:4x64", "vq:2x16"],
  parse: (text) => {
    if (text.name !== "vq") return undefined;
    readFlagsOf(text, []);
    const { length, entries } = readVectorArgument(text, "LxK");
    return { length, entries };
  },
  text,
  nominalBits: ({ length, entries }) => Math.log2(entries) / length,
  unfit: (rows, columns, scheme) => misfit(rows, columns, { ...scheme, books: 1 }),
  quantize: (x, scheme, options) => quantizeVectors(x, { ...scheme, books: 1, stages: 1 }, text(scheme), options),
});

function text({ length, entries }: VectorScheme): string {
  return `vq:${length}x${entries}`;
}
