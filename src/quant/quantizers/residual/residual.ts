/**
 * Residual vector quantization: a second codebook encodes what the first leaves, and so on; S·log₂K / L bits a weight with books of
 * K entries instead of Kˢ. Juang & Gray 1982; Chen, Guan & Wang 2010, "Approximate nearest neighbor search by residual vector
 * quantization". Afterwards every stage is fitted again to what the others leave, which never makes it worse.
 */
import { quantizeVectors } from "#quant/quantizers/vector/quantizeVectors";
import { misfit, readVectorArgument } from "#quant/quantizers/vector/vectorShape";
import { readFlagsOf } from "#quant/sharing";
import { quantizer } from "#quant/types";

interface ResidualScheme {
  /** L. */
  readonly length: number;
  /** K; 2 … 4,096. */
  readonly entries: number;
  /** S; 1 … 8. */
  readonly stages: number;
}

export const residual = quantizer<ResidualScheme>({
  name: "residual",
  title: "Vector codes in stages: each codebook encodes what those before it left over.",
  sources: ["Juang & Gray 1982", "Chen, Guan & Wang 2010, doi 10.3390/s101211259"],
  examples: ["rvq:4x32x2", "rvq:8x16x3"],
  parse: (text) => {
    if (text.name !== "rvq") return undefined;
    readFlagsOf(text, []);
    return readVectorArgument(text, "LxKxS");
  },
  text,
  nominalBits: ({ length, entries, stages }) => (stages * Math.log2(entries)) / length,
  unfit: (rows, columns, scheme) => misfit(rows, columns, { ...scheme, books: 1 }),
  quantize: (x, scheme, options) => quantizeVectors(x, { ...scheme, books: 1 }, text(scheme), options),
});

function text({ length, entries, stages }: ResidualScheme): string {
  return `rvq:${length}x${entries}x${stages}`;
}
