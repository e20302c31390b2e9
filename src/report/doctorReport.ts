/** What `lowbit doctor` finds, as plain data. */
import type { AcceptanceRow, Verdict } from "#targets/acceptance/types";
import type { BorderCosts } from "#targets/hostCosts";
import type { KernelSpeed } from "#targets/kernelSpeeds";
import type { Ceiling } from "#targets/opsetCeiling";
import type { WebAssemblyFeatures } from "#kernels/webAssemblyFeatures";

export interface DoctorReport {
  readonly version: 1;
  /** "lowbit 0.1.0". */
  readonly tool: string;
  readonly platform: PlatformReport;
  /** null: no WebAssembly here. */
  readonly webAssembly: WebAssemblyFeatures | null;
  readonly runtimes: readonly RuntimeReport[];
  readonly packages: readonly PackageReport[];
}

export interface PlatformReport {
  /** "Node 20.20.2", or what the browser calls itself. */
  readonly engine: string;
  /** "linux x64"; empty where it is not told. */
  readonly system: string;
  readonly processor: string;
  /** Logical processors. */
  readonly threads: number;
}

/** An optional package: what it is for, and how to get it. */
export interface PackageReport {
  readonly name: string;
  readonly purpose: string;
  /** null: it cannot be used; `why` says why and `install` what to do. */
  readonly version: string | null;
  readonly why?: string;
  readonly install: string;
}

export interface RuntimeReport {
  /** Registry name: "ort-node". */
  readonly name: string;
  /** null: it cannot run here; `why` says why and what to do. */
  readonly version: string | null;
  readonly why?: string;
  /** Of runtimes that have a table of what they accept. */
  readonly acceptance?: AcceptanceReport;
  readonly costs?: CostsReport;
}

export interface AcceptanceReport {
  /** Who was asked: "ort-node 1.30.0", "linux x64", "AMD EPYC", "2026-11-21". */
  readonly asked: {
    readonly runtime: string;
    readonly platform: string;
    readonly processor: string;
    readonly date: string;
  };
  /** Whether that is the version that is installed here. */
  readonly sameVersion: boolean;
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly ceiling: Ceiling;
  /** What was asked again just now, and the verdicts that differ. */
  readonly again?: { readonly asked: number; readonly changes: readonly ChangedVerdict[] };
}

export interface ChangedVerdict {
  readonly id: string;
  readonly before: Verdict;
  readonly now: AcceptanceRow;
}

export interface CostsReport {
  readonly label: "measured";
  /** Measured just now, or read from the table that is kept. */
  readonly when: "now" | "before";
  /** The least that quantizing, dequantizing and changing layouts cost, in microseconds; null where the runtime does not tell. */
  readonly borders: BorderCosts | null;
  /** Whether int8 pair sums saturate at 16 bits, so that weights should keep to 7. */
  readonly saturates: boolean;
  readonly speeds: readonly KernelSpeed[];
}
