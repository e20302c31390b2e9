import type { PlatformReport } from "#report/doctorReport";

/** The engine, system and processors this program runs on, as far as it is told. */
export function platformOf(processor: string): PlatformReport {
  const { process, navigator } = globalThis as Partial<Pick<typeof globalThis, "process" | "navigator">>;
  const node = process?.versions?.node;
  const processors = process?.getBuiltinModule?.("node:os").availableParallelism();
  return {
    engine: node === undefined ? (navigator?.userAgent ?? "unknown") : `Node ${node}`,
    system: process?.platform === undefined ? "" : `${process.platform} ${process.arch}`,
    processor,
    threads: processors ?? navigator?.hardwareConcurrency ?? 1,
  };
}
