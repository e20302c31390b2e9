/** What `lowbit doctor` found, for a terminal. */
import { type Ansi, ansi } from "#report/ansi";
import { columns, wrap } from "#report/columns";
import type { AcceptanceReport, CostsReport, DoctorReport, PackageReport, RuntimeReport } from "#report/doctorReport";
import { fullMessage } from "#report/ellipsis";
import { formatCount, formatMilliseconds, formatRatio, plural } from "#report/format";
import { alignRows } from "#report/table";
import { hanging, section, type TextOptions } from "#report/text";
import { visibleDeep } from "#report/visible";

/** Lines, each ended by a line feed; safe to print whatever the platform calls itself. */
export function doctorText(report: DoctorReport, options: TextOptions = {}): string {
  const safe = visibleDeep(report);
  const paint = ansi(options.color ?? false);
  const width = Math.max(40, options.width ?? 80);
  return [
    paint.bold(safe.tool),
    ...wrap(platformLine(safe), width).map(paint.dim),
    ...safe.runtimes.flatMap((runtime) => section("", runtimeLines(runtime, width, paint))),
    ...section(
      "",
      safe.packages.flatMap((row) => packageLines(row, width, paint)),
    ),
    ...section(paint.dim("Next:"), [`  ${next(safe)}`]),
    "",
  ].join("\n");
}

function platformLine({ platform, webAssembly }: DoctorReport): string {
  const { engine, system, processor, threads } = platform;
  const features =
    webAssembly === null
      ? "no WebAssembly"
      : `WebAssembly with ${[
          webAssembly.simd ? "SIMD" : "no SIMD",
          webAssembly.relaxedSimd ? "relaxed SIMD" : "no relaxed SIMD",
          webAssembly.threads ? "threads" : "no threads",
        ].join(", ")}`;
  return [engine, ...(system === "" ? [] : [system]), processor, plural(threads, "thread"), features].join(" · ");
}

/** Width of the names before the facts of a runtime. */
const indent = 14;

function runtimeLines(runtime: RuntimeReport, width: number, paint: Ansi): string[] {
  const { name, version, why = "", acceptance, costs } = runtime;
  if (version === null) return [paint.warn(`${name} cannot run here`), ...hanging("", 2, fullMessage(why), width)];
  return [
    paint.bold(`${name} ${version}`),
    ...(acceptance === undefined ? [] : acceptanceLines(acceptance, width, paint)),
    ...(costs === undefined ? [] : costLines(costs, width, paint)),
  ];
}

function acceptanceLines(acceptance: AcceptanceReport, width: number, paint: Ansi): string[] {
  const { asked, sameVersion, counts, ceiling, again } = acceptance;
  const line = (name: string, text: string): string[] => hanging(`  ${name}`, indent, text, width);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const verdicts = [
    [counts.fuses, "on int8 kernels"],
    [counts.float, "in float between Q and DQ"],
    [counts.runs, "run"],
    [counts.changes, "give another answer"],
    [counts.rejects, "are refused"],
    [counts.crashes, "crash it"],
    [counts.hangs, "hang it"],
  ] as const;
  const told = verdicts.filter(([count]) => count > 0).map(([count, words]) => `${formatCount(count)} ${words}`);
  return [
    ...line("opens", `operator sets to ${ceiling.opset}, file versions (IR) to ${ceiling.irVersion}`),
    ...line("accepts", `of ${formatCount(total)} small models: ${told.join(", ")}`),
    ...line("", `asked ${asked.date}: ${asked.runtime}, ${asked.platform}, ${asked.processor}`).map(paint.dim),
    ...(sameVersion
      ? []
      : line("", `that is not the version installed here: see what changed with --refresh`).map(paint.warn)),
    ...(again === undefined ? [] : againLines(again, width, paint)),
  ];
}

/** Changed verdicts that are shown one by one. */
const shownChanges = 10;

function againLines({ asked, changes }: NonNullable<AcceptanceReport["again"]>, width: number, paint: Ansi): string[] {
  if (changes.length === 0)
    return hanging("  asked now", indent, `all ${formatCount(asked)} answers are the same`, width);
  const shown = changes.slice(0, shownChanges);
  const more = changes.length - shown.length;
  return [
    ...hanging(
      "  asked now",
      indent,
      paint.warn(`${plural(changes.length, "answer")} ${changes.length === 1 ? "differs" : "differ"}`),
      width,
    ),
    ...shown.flatMap(({ id, before, now }) => {
      const words = `${id}: ${before} → ${now.verdict}${now.says === undefined ? "" : ` (${now.says})`}`;
      return hanging("", indent, fullMessage(words), width);
    }),
    ...(more > 0 ? hanging("", indent, `and ${formatCount(more)} more (--json lists all)`, width) : []),
  ];
}

function costLines({ when, borders, saturates, speeds }: CostsReport, width: number, paint: Ansi): string[] {
  const line = (name: string, text: string): string[] => hanging(`  ${name}`, indent, text, width);
  const million = ({ call, element }: { call: number; element: number }): string =>
    formatMilliseconds((call + element * 1e6) / 1000);
  const rows = speeds.map(({ layer, form, floatMs, quantizedMs }) => [
    layer,
    form,
    formatMilliseconds(floatMs),
    "→",
    formatMilliseconds(quantizedMs, floatMs),
    formatRatio(floatMs / quantizedMs),
  ]);
  const right = { name: "", align: "right" } as const;
  const left = { name: "" };
  const table = alignRows({ columns: [left, left, right, left, right, right], rows });
  const figures = alignRows({ columns: [right, left, right, right], rows: rows.map((row) => row.slice(2)) });
  const fits = table.every((text) => columns(text) + 2 <= width);
  return [
    ...line("int8 sums", saturates ? "saturate at 16 bits: weights get 7 bits of 8" : "are exact"),
    ...(borders === null
      ? []
      : line(
          "borders",
          `a million values: ${million(borders.quantize)} into codes, ${million(borders.dequantize)} back`,
        )),
    ...section(
      "",
      speeds.flatMap(({ layer, form, floatMs, quantizedMs }, i) => {
        const lines = fits ? [`  ${table[i]}`] : [...hanging("", 2, `${layer}, ${form}`, width), `    ${figures[i]}`];
        return quantizedMs > floatMs ? lines.map(paint.warn) : lines;
      }),
    ),
    ...(rows.length === 0
      ? []
      : hanging("", 2, `measured ${when === "now" ? "now" : "before, kept for this machine"}, one thread`, width).map(
          paint.dim,
        )),
  ];
}

function packageLines({ name, purpose, version, why, install }: PackageReport, width: number, paint: Ansi): string[] {
  if (version !== null) return hanging("", 0, `${name} ${version}: ${purpose}`, width);
  return [
    ...hanging("", 0, `${name} is missing, which is needed for ${purpose} (${fullMessage(why ?? "not found")})`, width),
    ...hanging("  → ", 4, install, width).map(paint.dim),
  ];
}

function next({ runtimes }: DoctorReport): string {
  const works = runtimes.some(({ version, acceptance }) => version !== null && acceptance !== undefined);
  return works ? "lowbit quantize model.onnx --data images/" : "npm install --ignore-scripts onnxruntime-node";
}
