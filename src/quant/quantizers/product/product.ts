/**
 * Product quantization: columns in groups, and in each group a codebook of its own for vectors of L neighbours, so that columns which
 * behave differently do not share entries. Jégou, Douze & Schmid 2011; for weights Gong et al. 2014, arXiv 1412.6115, and
 * Stock et al. 2020, arXiv 1907.05686, which also weighs errors by inputs (here: importance).
 */
import { quantizeVectors } from "#quant/quantizers/vector/quantizeVectors";
import { divisors, misfit, readVectorArgument } from "#quant/quantizers/vector/vectorShape";
import { positiveInteger, readFlagsOf } from "#quant/sharing";
import { quantizer } from "#quant/types";

interface ProductScheme {
  /** L. */
  readonly length: number;
  /** K of each book; 2 … 4,096. */
  readonly entries: number;
  /** How many books; undefined: as many as keep them all within a quarter of what the codes take, at least one. */
  readonly groups: number | undefined;
}

/** Books may take this part of the bits of the codes. */
const bookShare = 0.25;

export const product = quantizer<ProductScheme>({
  name: "product",
  title: "Vector codes with a codebook for each group of columns.",
  sources: ["Jégou, Douze & Schmid 2011, doi 10.1109/TPAMI.2010.57", "Stock et al. 2020, arXiv 1907.05686"],
  examples: ["pq:8x16", "pq:4x16/groups:2"],
  parse: (text) => {
    if (text.name !== "pq") return undefined;
    const { length, entries } = readVectorArgument(text, "LxK");
    const groups = readFlagsOf(text, ["groups:N"]).get("groups");
    return { length, entries, groups: groups === undefined ? undefined : positiveInteger(groups, "groups", text.text) };
  },
  text,
  nominalBits: ({ length, entries }) => Math.log2(entries) / length,
  unfit: (rows, columns, scheme) => misfit(rows, columns, { ...scheme, books: booksOf(rows, columns, scheme) }),
  quantize: (x, scheme, options) =>
    quantizeVectors(x, { ...scheme, books: booksOf(x.rows, x.columns, scheme), stages: 1 }, text(scheme), options),
});

function booksOf(rows: number, columns: number, { length, entries, groups }: ProductScheme): number {
  if (groups !== undefined) return groups;
  const perRow = Math.floor(columns / length);
  const codeBits = rows * perRow * Math.ceil(Math.log2(entries));
  const affordable = Math.min((bookShare * codeBits) / (entries * length * 32), (rows * perRow) / entries);
  return divisors(perRow).findLast((count) => count <= affordable) ?? 1;
}

function text({ length, entries, groups }: ProductScheme): string {
  return `pq:${length}x${entries}${groups === undefined ? "" : `/groups:${groups}`}`;
}
