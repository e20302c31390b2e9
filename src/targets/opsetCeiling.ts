import type { Acceptance } from "#targets/acceptance/types";

/** The newest files that a runtime opens. */
export interface Ceiling {
  /** Version of the operator set ai.onnx. */
  readonly opset: number;
  /** Version of the file format, which ONNX calls IR. */
  readonly irVersion: number;
}

/** The highest operator set and file version that ran. → { opset: 26, irVersion: 13 } for ONNX Runtime 1.30 */
export function opsetCeiling(table: Acceptance): Ceiling {
  const highest = (group: string): number =>
    Math.max(
      ...Object.entries(table.rows)
        .filter(([id, { verdict }]) => id.startsWith(`${group}/`) && verdict === "runs")
        .map(([id]) => Number(id.slice(group.length + 1))),
    );
  return { opset: highest("opset"), irVersion: highest("ir") };
}
