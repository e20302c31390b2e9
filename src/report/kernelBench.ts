import type { PlatformReport } from "#report/doctorReport";
import type { KernelName, Variant } from "#kernels/kernels";

/** What `lowbit bench kernels` measured; with --json it is printed as it is. */
export interface KernelBenchReport {
  readonly version: 1;
  readonly tool: string;
  readonly label: "measured";
  readonly platform: PlatformReport;
  readonly threads: 1;
  /** Turns that the variants took; rates are of the median one. */
  readonly rounds: number;
  readonly variants: readonly Variant[];
  readonly kernels: readonly KernelRates[];
}

export interface KernelRates {
  readonly kernel: KernelName;
  readonly title: string;
  /** Bytes read and written, operations, or numbers, by thousand millions a second. */
  readonly unit: "GB/s" | "GOP/s" | "Gelem/s";
  /** Of each variant, in the order of `variants`; `ratio`: the median of the turns' own, against plain TypeScript. */
  readonly rates: readonly { readonly variant: Variant; readonly rate: number; readonly ratio: number }[];
}
