/** The table of number formats for a terminal, and how each holds a number. */
import { type Ansi, ansi } from "#report/ansi";
import { columns, pad, wrap } from "#report/columns";
import { formatShare } from "#report/format";
import type { BlockFacts, CodeFacts, Encoding, FormatFacts, FormatsReport, NumberFacts } from "#report/formats";
import { alignRows, type Column } from "#report/table";
import { section, type TextOptions } from "#report/text";

/** Lines, each ended by a line feed. */
export function formatsText(report: FormatsReport, options: TextOptions = {}): string {
  const paint = ansi(options.color ?? false);
  const width = Math.max(60, options.width ?? 100);
  const listed = report.formats.filter(({ values }) => values !== undefined);
  const lines =
    report.numbers.length > 0
      ? report.numbers.flatMap((number) => numberLines(number, width, paint))
      : listed.length > 0
        ? [...tables(report.formats, width, paint), ...listed.flatMap((format) => valueLines(format, width, paint))]
        : [...tables(report.formats, width, paint), ...blockLines(report.blocks, width, paint)];
  return [...lines.slice(lines[0] === "" ? 1 : 0), ...section(paint.dim("Next:"), next(report)), ""].join("\n");
}

function tables(formats: readonly FormatFacts[], width: number, paint: Ansi): string[] {
  const of = (...kinds: FormatFacts["kind"][]) => formats.filter(({ kind }) => kinds.includes(kind));
  return [
    ...floatLines(of("float"), width, paint),
    ...evenLines(of("integer", "fixed"), paint),
    ...tableLines(of("table"), paint),
  ];
}

function floatLines(formats: readonly FormatFacts[], width: number, paint: Ansi): string[] {
  const head = ["floating point", "bits", "S E M", "bias", "largest", "normal from", "subnormal from", "special"];
  const rule =
    "(−1)^S · 1.M · 2^(E − bias); E = 0 is subnormal: (−1)^S · 0.M · 2^(1 − bias). Without sign: 2^(E − bias), no 0.";
  const rows = formats.map((f) => [
    f.name,
    `${f.bits}`,
    `${f.signBits} ${f.exponentBits} ${f.mantissaBits}`,
    `${f.bias}`,
    plain(f.max),
    plain(f.minNormal),
    plain(f.minSubnormal),
    [...(f.infinity ? ["∞"] : []), ...(f.nan ? ["NaN"] : [])].join(", "),
  ]);
  return rows.length === 0
    ? []
    : ["", ...headed(head, rows, "lrlrrrrl", paint), ...wrap(rule, width - 2).map((line) => paint.dim(`  ${line}`))];
}

function evenLines(formats: readonly FormatFacts[], paint: Ansi): string[] {
  const head = ["integers, fixed point", "bits", "least", "largest", "step", ""];
  const few = formats.length < 20;
  const some = few ? formats : formats.filter(({ name }) => !/^u?int/.test(name));
  const rows = [
    ...(few
      ? []
      : [
          ["int1 … int16, int32", "n", "−2^(n−1)", "2^(n−1) − 1", "1", "two's complement"],
          ["uint1 … uint16, uint32", "n", "0", "2^n − 1", "1", ""],
        ]),
    ...some.map((f) => [f.name, `${f.bits}`, plain(f.min), plain(f.max), plain(f.step), note(f)]),
  ];
  return rows.length === 0 ? [] : ["", ...headed(head, rows, "lrrrrl", paint)];
}

/** → "sign, 3 bits, point, 4 bits" */
function note({ kind, name, signBits }: FormatFacts): string {
  if (kind !== "fixed") return signBits === 1 ? "two's complement" : "";
  const [before, after] = name.replace(/^u?q/, "").split(".");
  return `${signBits === 1 ? "sign, " : ""}${before} bits, point, ${after} bits`;
}

function tableLines(formats: readonly FormatFacts[], paint: Ansi): string[] {
  const head = ["tables", "bits", "least", "largest", ""];
  const notes: Readonly<Record<string, string>> = {
    nf4: "quantiles of the normal distribution",
    fp4: "bitsandbytes' own, which is not float4e2m1",
  };
  const rows = formats.map((f) => [f.name, `${f.bits}`, plain(f.min), plain(f.max), notes[f.name] ?? ""]);
  return rows.length === 0 ? [] : ["", ...headed(head, rows, "lrrrl", paint)];
}

function blockLines(blocks: readonly BlockFacts[], width: number, paint: Ansi): string[] {
  const head = ["blocks", "element", "bits/weight", "scales"];
  const rows = blocks.map(({ name, element, bitsPerWeight, scales }) => [
    name,
    element,
    `${Number(bitsPerWeight.toFixed(3))}`,
    scales
      .map(({ dtype, sharedBy }) => `${dtype} ${typeof sharedBy === "number" ? `per ${sharedBy}` : `a ${sharedBy}`}`)
      .join(", "),
  ]);
  const rule = "A value is its element times its scales; a scale for a whole channel or tensor is not counted.";
  return rows.length === 0
    ? []
    : ["", ...headed(head, rows, "llrl", paint), ...wrap(rule, width - 2).map((line) => paint.dim(`  ${line}`))];
}

function numberLines({ number, normalized, encodings }: NumberFacts, width: number, paint: Ansi): string[] {
  const sign = number < 0 ? "−" : "";
  const scientific =
    normalized === null ? "" : ` = ${sign}${plain(normalized.fraction, 9)} · 2^${plain(normalized.exponent)}`;
  const all = ["format", "sign|exponent|mantissa", "value", "error", "below", "above"];
  const rows = encodings.map((each) => [
    each.format,
    each.bits ?? "–",
    each.value === null ? `no ${plain(number)}` : plain(each.value, 9),
    errorOf(each),
    ...around(each),
  ]);
  const wide = headed(all, rows, "llrrrr", paint);
  const fits = wide.slice(1).every((line) => columns(line) <= width);
  const kept = (row: readonly string[]) => row.slice(0, 4);
  return [
    "",
    paint.bold(`${plain(number, 17)}${scientific}`),
    ...(fits ? wide : headed(kept(all), rows.map(kept), "llrr", paint)),
  ];
}

/** Empty where they differ in digits beyond those shown. */
function around({ below, above }: Encoding): readonly [string, string] {
  const texts = [plain(below), plain(above)] as const;
  return texts[0] === texts[1] && below !== above ? ["", ""] : texts;
}

function errorOf({ value, error, relativeError, saturated }: Encoding): string {
  if (value === null || error === null) return "";
  if (saturated) return "saturates";
  if (error === 0) return "exact";
  return relativeError === null ? plain(error, 3) : formatShare(relativeError);
}

function valueLines({ name, values = [] }: FormatFacts, width: number, paint: Ansi): string[] {
  const cell = ({ bits, value }: CodeFacts): string => `${bits}  ${plain(value)}`;
  const cells = values.map(cell);
  const wide = Math.max(...cells.map(columns)) + 4;
  const across = Math.max(1, Math.min(Math.floor((width - 2) / wide), Math.ceil(cells.length / 8)));
  const down = Math.ceil(cells.length / across);
  const rows = Array.from({ length: down }, (_, r) =>
    Array.from({ length: across }, (_, c) => pad(cells[c * down + r] ?? "", wide))
      .join("")
      .trimEnd(),
  );
  return section(
    paint.bold(`${name}: its ${values.length} codes`),
    rows.map((row) => `  ${row}`),
  );
}

/** The head in bold and the rows below it, indented; `align` has an l or r a column. */
function headed(head: readonly string[], rows: readonly (readonly string[])[], align: string, paint: Ansi): string[] {
  const columns: Column[] = head.map((name, i) => ({ name, align: align[i] === "r" ? "right" : "left" }));
  const [first, ...rest] = alignRows({ columns, rows: [head, ...rows] });
  return [paint.bold(first), ...rest];
}

/**
 * A number with as many digits as it needs, up to `digits`; powers of two far from 1 as such.
 * → 0.0009765625 → "2^−10", 0.1 → "0.1", 3.4028234663852886e38 → "3.40282e38"
 */
function plain(x: number | null, digits = 6): string {
  if (x === null) return "–";
  if (Object.is(x, -0)) return "−0";
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  const exponent = Math.log2(Math.abs(x));
  const far = Number.isInteger(exponent) && 2 ** exponent === Math.abs(x) && (exponent < -4 || exponent > 16);
  const text = far ? `${x < 0 ? "-" : ""}2^${exponent}` : `${Number(x.toPrecision(digits))}`;
  return text.replace("e+", "e").replaceAll("-", "−");
}

function next({ numbers, formats, blocks }: FormatsReport): string[] {
  if (numbers.length > 0) return ["  lowbit formats --format float8e4m3fn   all numbers of a format"];
  const name = blocks.length > 0 ? "" : ` --format ${formats.map((format) => format.name).join(",")}`;
  return [
    `  lowbit formats 0.1 -2.7${name}   how ${name === "" ? "each format" : "it"} holds a number`,
    ...(name === "" ? ["  lowbit formats --format q4.3   all numbers of one"] : []),
  ];
}
