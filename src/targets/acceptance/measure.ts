import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import type { OpenSession } from "#model/session";
import { tryCase } from "#targets/acceptance/tryCase";
import type { Acceptance, AcceptanceCase, AcceptanceRow } from "#targets/acceptance/types";

/** Asks one runtime every case, one after the other: about 20 ms a case natively, 60 ms in WebAssembly. */
export async function measureAcceptance(
  cases: readonly AcceptanceCase[],
  openSession: OpenSession,
  about: Omit<Acceptance, "rows">,
  options: JobOptions = {},
): Promise<Acceptance> {
  const rows: Record<string, AcceptanceRow> = {};
  for (const [done, given] of cases.entries()) {
    throwIfAborted(options.signal);
    options.onProgress?.({ stage: "ask the runtime", done, total: cases.length });
    rows[given.id] = await tryCase(given, openSession);
  }
  return { ...about, rows };
}

export interface ChangedRow {
  readonly id: string;
  /** Undefined: the case is new. */
  readonly before: AcceptanceRow | undefined;
  /** Undefined: the case is gone. */
  readonly now: AcceptanceRow | undefined;
}

/** Rows whose verdicts differ between two tables. Errors and kernels may differ from processor to processor. */
export function changedRows(before: Acceptance, now: Acceptance): readonly ChangedRow[] {
  const ids = new Set([...Object.keys(before.rows), ...Object.keys(now.rows)]);
  return [...ids]
    .map((id): ChangedRow => ({ id, before: before.rows[id], now: now.rows[id] }))
    .filter((row) => row.before?.verdict !== row.now?.verdict);
}
