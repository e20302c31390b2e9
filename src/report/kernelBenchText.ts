/** What `lowbit bench kernels` measured, for a terminal. */
import { ansi } from "#report/ansi";
import { wrap } from "#report/columns";
import { formatRatio } from "#report/format";
import type { KernelBenchReport } from "#report/kernelBench";
import { alignRows } from "#report/table";
import { section, type TextOptions } from "#report/text";
import { visibleDeep } from "#report/visible";

/** Lines, each ended by a line feed. */
export function kernelBenchText(report: KernelBenchReport, options: TextOptions = {}): string {
  const safe = visibleDeep(report);
  const paint = ansi(options.color ?? false);
  const width = Math.max(40, options.width ?? 80);
  const words = { reference: "TypeScript", simd128: "SIMD", relaxed: "relaxed SIMD" };
  const fast = safe.variants.filter((variant) => variant !== "reference");
  const head = ["kernel", "", "", "TypeScript", ...fast.flatMap((variant) => [words[variant], "×"])];
  const rows = safe.kernels.map(({ kernel, title, unit, rates }) => {
    const of = (variant: string) => rates.find((row) => row.variant === variant);
    return [
      kernel,
      title,
      unit,
      rateText(of("reference")?.rate),
      ...fast.flatMap((variant) => [rateText(of(variant)?.rate), formatRatio(of(variant)?.ratio ?? null)]),
    ];
  });
  const columns = head.map((name, i) => ({ name, align: i > 2 ? ("right" as const) : ("left" as const) }));
  const [first, ...lines] = alignRows({ columns, rows: [head, ...rows] });
  const facts = `one thread, medians of ${safe.rounds} turns; bytes and numbers lie in the kernels' own memory`;
  return [
    paint.bold(safe.tool),
    ...wrap([safe.platform.engine, safe.platform.processor, facts].join(" · "), width).map(paint.dim),
    ...section("", [paint.dim(first), ...lines]),
    ...section(paint.dim("Next:"), ["  lowbit doctor"]),
    "",
  ].join("\n");
}

function rateText(rate: number | undefined): string {
  if (rate === undefined) return "";
  return rate >= 100 ? rate.toFixed(0) : rate >= 10 ? rate.toFixed(1) : rate.toFixed(2);
}
