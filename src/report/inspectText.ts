/** An inspection for a terminal: what it is, what it costs, the largest layers, what could hurt, and the next command. */
import { type Ansi, ansi } from "#report/ansi";
import { columns, pad, wrap } from "#report/columns";
import { ellipsis } from "#report/ellipsis";
import { formatBytes, formatCount, formatNumber, plural } from "#report/format";
import type { InspectedLayer, InspectedValue, InspectedWeight, Inspection } from "#report/inspect";
import { shellWord } from "#report/nextCommand";
import { alignRows, type Column } from "#report/table";
import { diagnosticLines, hanging, section, type TextOptions } from "#report/text";
import { visibleDeep } from "#report/visible";

/** Rows of the table of layers. */
const shownLayers = 12;

/** Lines, each ended by a line feed; safe to print whatever names the file holds. */
export function inspectText(inspection: Inspection, options: TextOptions = {}): string {
  const safe = visibleDeep(inspection);
  const paint = ansi(options.color ?? false);
  const width = Math.max(40, options.width ?? 80);
  return [
    paint.bold(ellipsis(safe.file.name, width, columns)),
    ...wrap(fileLine(safe), width).map(paint.dim),
    ...section("", [
      ...safe.inputs.flatMap((value) => valueLines("input", value, width)),
      ...safe.outputs.flatMap((value) => valueLines("output", value, width)),
    ]),
    ...section("", figureLines(safe, width)),
    ...layerSection(safe, width, paint),
    ...section("", hanging("operators", 12, operatorLine(safe), width)),
    ...section(
      "",
      safe.diagnostics.flatMap((diagnostic) => diagnosticLines(diagnostic, width, paint)),
    ),
    ...section(paint.dim("Next:"), [`  ${next(safe)}`]),
    "",
  ].join("\n");
}

function fileLine({ file }: Inspection): string {
  const opsets = Object.entries(file.opsets).map(([domain, version]) =>
    domain === "ai.onnx" ? `opset ${version}` : `${domain} ${version}`,
  );
  return [
    `ONNX, IR ${file.irVersion}`,
    ...opsets.sort((a, b) => Number(b.startsWith("opset")) - Number(a.startsWith("opset"))),
    ...(file.functions === 0 ? [] : [plural(file.functions, "function")]),
    ...(file.producer === "" ? [] : [`made by ${file.producer}`]),
  ].join(" · ");
}

function valueLines(kind: string, { name, type, shape }: InspectedValue, width: number): string[] {
  const dims = shape === undefined ? "" : ` [${shape.map((dim) => dim ?? "?").join(", ")}]`;
  return hanging(kind, 12, `${ellipsis(name, 60, columns)}: ${type}${dims}`, width);
}

function figureLines({ file, totals, size, wouldWeigh, quantized, assumed }: Inspection, width: number): string[] {
  const line = (name: string, text: string): string[] => hanging(name, 12, text, width);
  const { memory } = totals;
  const smaller = wouldWeigh.filter(({ bytes }) => bytes < file.bytes);
  return [
    ...line(
      "size",
      `${formatBytes(file.bytes)}${size.entropyCodedBytes < 0.99 * file.bytes ? `; ${formatBytes(size.entropyCodedBytes)} if entropy coded` : ""}`,
    ),
    ...line("parameters", `${formatShort(totals.parameters)} in ${plural(totals.nodes, "node")}`),
    ...line("work", `${formatShort(totals.macs)} multiply-accumulates for one inference`),
    ...line(
      "memory",
      `${formatBytes(memory.weightBytes + memory.activationBytes)} modelled: weights ${formatBytes(memory.weightBytes)}, activations up to ${formatBytes(memory.activationBytes)}`,
    ),
    ...(assumed.length === 0 ? [] : line("", `counted for ${assumed.join(", ")}`)),
    ...(quantized.length === 0
      ? []
      : line(
          "quantized",
          quantized
            .map(
              (each) =>
                `${plural(each.weights, "weight")} ${each.scheme} (${formatNumber(each.bitsPerWeight)} bits each)`,
            )
            .join(", "),
        )),
    ...(smaller.length === 0
      ? []
      : line("would weigh", smaller.map(({ scheme, bytes }) => `${formatBytes(bytes)} as ${scheme}`).join(", "))),
  ];
}

/** → 3487816 → "3.49 M" */
function formatShort(count: number): string {
  const step = [1e12, 1e9, 1e6, 1e3].find((worth) => count >= worth) ?? 1;
  const prefix =
    new Map([
      [1e12, " T"],
      [1e9, " G"],
      [1e6, " M"],
      [1e3, " k"],
    ]).get(step) ?? "";
  return step === 1 ? formatCount(count) : `${formatNumber(count / step)}${prefix}`;
}

const layerColumns: readonly Column[] = [
  { name: "stored", align: "right" },
  { name: "MACs", align: "right" },
  { name: "" },
  { name: "as" },
  { name: "outliers", align: "right" },
];

function layerSection({ layers }: Inspection, width: number, paint: Ansi): string[] {
  const shown = [...layers].sort((a, b) => b.bytes - a.bytes || b.macs - a.macs).slice(0, shownLayers);
  const more = layers.length - shown.length;
  const title = `Layers${more > 0 ? `, the largest ${shown.length} of ${formatCount(layers.length)}` : ""}`;
  if (shown.length === 0) return [];
  const head = layerColumns.map(({ name }) => name);
  const rows = [head, ...shown.map(layerCells)];
  const aligned = (count: number): string[] =>
    alignRows({ columns: layerColumns.slice(0, count), rows: rows.map((row) => row.slice(0, count)) });
  let count = head.length;
  while (count > 1 && aligned(count).some((line) => columns(line) > width - 2)) count--;
  const [first, ...lines] = aligned(count);
  const used = [first, ...lines].reduce((most, line) => Math.max(most, columns(line)), 0) + 4;
  return section(paint.bold(title), [
    paint.dim(`  ${first}`),
    ...lines.flatMap((line, i) => {
      const { name } = shown[i];
      const start = `  ${line}`;
      if (width - used >= 16) return [`${pad(start, used)}${ellipsis(name, width - used, columns)}`];
      return [start, `    ${ellipsis(name, width - 4, columns)}`];
    }),
  ]);
}

function layerCells({ op, macs, bytes, weights }: InspectedLayer): string[] {
  const main = largest(weights);
  const sigmas = main?.statistics?.outlierSigmas;
  return [
    formatBytes(bytes),
    formatShort(macs),
    op,
    main?.scheme ?? "",
    sigmas === undefined ? "" : `${formatNumber(sigmas)}σ`,
  ];
}

function largest(weights: readonly InspectedWeight[]): InspectedWeight | undefined {
  return weights.reduce<InspectedWeight | undefined>(
    (most, weight) => (most === undefined || weight.bytes > most.bytes ? weight : most),
    undefined,
  );
}

function operatorLine({ operators }: Inspection): string {
  const name = (op: string, domain: string): string => (domain === "" ? op : `${domain}:${op}`);
  return operators
    .map(
      ({ op, domain, count, int8Kernels }) =>
        `${name(op, domain)} ${formatCount(count)}${int8Kernels === 0 ? "" : "*"}`,
    )
    .join(", ")
    .concat(operators.some(({ int8Kernels }) => int8Kernels > 0) ? " (*: has int8 kernels)" : "");
}

function next({ file, quantized }: Inspection): string {
  const name = shellWord(file.name);
  if (quantized.length > 0) return `lowbit evaluate ${name} --against <float model> --data <folder>`;
  const output = shellWord(file.name.replace(/(\.onnx)?$/, ".int8.onnx"));
  return `lowbit quantize ${name} -o ${output} --data <folder>`;
}
