/** What runtimes accept, as measured: the shipped tables, and questions to them. Made again by `npm run targets`. */
import { LowbitError } from "#base/errors";
import { ortNode } from "#targets/acceptance/ortNode";
import { ortWeb } from "#targets/acceptance/ortWeb";
import type { Acceptance, AcceptanceRow, Verdict } from "#targets/acceptance/types";

/** By the runtime's registry name. */
export const acceptances = { "ort-node": ortNode, "ort-web": ortWeb } as const satisfies Record<string, Acceptance>;

/** Runtimes that have a table. */
export type TargetName = keyof typeof acceptances;

/** The table of a runtime. */
export function acceptance(target: TargetName): Acceptance {
  return acceptances[target];
}

/** What a table says of a case. Throws `usage/argument` for a case that was never asked. */
export function acceptanceRow(table: Acceptance, caseId: string): AcceptanceRow {
  const row = Object.hasOwn(table.rows, caseId) ? table.rows[caseId] : undefined;
  if (row !== undefined) return row;
  throw new LowbitError("usage/argument", `${table.runtime} was never asked about ${caseId}`, {
    hint: "cases are listed in src/targets/acceptance/cases; npm run targets asks them",
  });
}

const right: ReadonlySet<Verdict> = new Set<Verdict>(["runs", "fuses", "float"]);

/** Whether a runtime runs this and answers right. → accepts("ort-web", "matMulNBits/3-bit") is false */
export function accepts(target: TargetName, caseId: string): boolean {
  return right.has(acceptanceRow(acceptances[target], caseId).verdict);
}

/** Number of rows by verdict. */
export function countVerdicts(table: Acceptance): Record<Verdict, number> {
  const counts: Record<Verdict, number> = {
    runs: 0,
    fuses: 0,
    float: 0,
    changes: 0,
    rejects: 0,
    crashes: 0,
    hangs: 0,
  };
  for (const { verdict } of Object.values(table.rows)) counts[verdict]++;
  return counts;
}
