/**
 * Weight sharing: the weights of a tensor, channel or group become K numbers, chosen so that Σ h·(w − c)² is least, and each weight
 * becomes the index of its nearest. Han, Mao & Dally 2016, "Deep Compression", arXiv 1510.00149, §3.
 */
import { LowbitError } from "#base/errors";
import type { Rng } from "#base/rng";
import { refuseNonFinite } from "#quant/affine";
import { forEachRun, parameterShape } from "#quant/granularity";
import { elementImportance } from "#quant/importance";
import { encodeNearest } from "#quant/nearest";
import { exactPartition } from "#quant/quantizers/kmeans/exactPartition";
import { initialCentroids } from "#quant/quantizers/kmeans/initialCentroids";
import { lloyd } from "#quant/quantizers/kmeans/lloyd";
import { meanOf, sortedPoints } from "#quant/sortedPoints";
import { matrixGranularity, positiveInteger, readFlags, type Sharing, sharingFlags } from "#quant/sharing";
import { quantizer, type SchemeText } from "#quant/types";

interface KMeansScheme {
  /** K; 2 … 65,536. */
  readonly entries: number;
  /** Who shares a codebook. */
  readonly sharing: Sharing;
  /** Where Lloyd's algorithm starts; exact needs no start. */
  readonly init: keyof typeof initialCentroids | "exact";
}

export const kmeans = quantizer<KMeansScheme>({
  name: "kmeans",
  title: "Weight sharing: each weight becomes one of K values, which are placed where the weights are.",
  sources: ["Han, Mao & Dally 2016, Deep Compression, arXiv 1510.00149", "Grønlund et al. 2017, arXiv 1701.07204"],
  examples: ["kmeans:16", "kmeans:16/channel", "kmeans:4/group:64", "kmeans:16/init:linear", "kmeans:16/init:plusplus"],
  parse: (text) => (text.name === "kmeans" ? parse(text) : undefined),
  text,
  nominalBits: ({ entries }) => Math.log2(entries),
  unfit,
  quantize(x, scheme, options) {
    const { values, rows, columns } = x;
    const why = unfit(rows, columns, scheme);
    if (why !== undefined) throw new LowbitError("quant/scheme", why);
    refuseNonFinite(values);
    const { entries, init } = scheme;
    const shape = [rows, columns];
    const tableGranularity = matrixGranularity(scheme.sharing);
    const importance = elementImportance(x, options.importance);
    const units = parameterShape(shape, tableGranularity).reduce((count, dim) => count * dim, 1);
    const tables = new Float32Array(units * entries);
    const codes = entries <= 256 ? new Uint8Array(values.length) : new Uint16Array(values.length);
    forEachRun(shape, tableGranularity, (index, offset, _, count) => {
      const unit = values.subarray(offset, offset + count);
      const table = codebook(unit, importance?.subarray(offset, offset + count), entries, init, options.rng);
      encodeNearest(unit, table, codes.subarray(offset, offset + count));
      const first = index * entries;
      tables.set(table, first);
      tables.fill(table[table.length - 1], first + table.length, first + entries);
    });
    const bits = Math.ceil(Math.log2(entries));
    const decoding = { kind: "lookup", bits, tableGranularity, tables, entries, scale: null } as const;
    return { scheme: text(scheme), rows, columns, codes, decoding };
  },
});

/** Ascending; fewer than `entries` where there are fewer distinct values. */
function codebook(
  x: Float32Array,
  importance: Float32Array | undefined,
  entries: number,
  init: KMeansScheme["init"],
  rng: Rng,
): Float32Array {
  const points = sortedPoints(x, importance);
  if (points.values.length <= entries) return points.values;
  if (init !== "exact") return Float32Array.from(lloyd(points, initialCentroids[init](points, entries, rng)));
  const starts = exactPartition(points, entries);
  return Float32Array.from({ length: entries }, (_, k) => meanOf(points, starts[k], starts[k + 1]));
}

/** A codebook is no larger than what shares it. */
function unfit(rows: number, columns: number, scheme: KMeansScheme): string | undefined {
  const { entries, sharing } = scheme;
  const sharers =
    sharing.per === "tensor" ? rows * columns : sharing.per === "channel" ? columns : Math.min(sharing.size, columns);
  if (entries <= sharers || rows * columns === 0) return undefined;
  const others = sharers < 2 ? "more weights would have to share it" : `kmeans:${sharers} and smaller would fit`;
  return `the ${entries} values of ${text(scheme)} are more than the ${sharers} weights that share them; ${others}`;
}

function parse(scheme: SchemeText): KMeansScheme {
  const entries = positiveInteger(scheme.argument, "the number of values", scheme.text);
  if (entries < 2 || entries > 65536)
    throw new LowbitError("usage/scheme", `"${scheme.text}": a codebook has 2 to 65536 values`, {
      hint: "for example kmeans:16, which takes 4 bits a weight",
    });
  const { sharing, own } = readFlags(scheme, ["init:START"]);
  const init = own.get("init") ?? "exact";
  if (init !== "exact" && !isInit(init))
    throw new LowbitError("usage/scheme", `"${scheme.text}": there is no init:${init}`, {
      hint: `there are exact, ${Object.keys(initialCentroids).join(", ")}`,
    });
  return { entries, sharing, init };
}

function isInit(name: string): name is keyof typeof initialCentroids {
  return Object.hasOwn(initialCentroids, name);
}

function text({ entries, sharing, init }: KMeansScheme): string {
  return [`kmeans:${entries}`, ...sharingFlags(sharing), ...(init === "exact" ? [] : [`init:${init}`])].join("/");
}
