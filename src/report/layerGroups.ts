import type { LayerReport } from "#report/types";
import { isKeptFloat } from "#report/worstLayers";

export interface LayerGroup {
  readonly why: string;
  readonly layers: readonly LayerReport[];
}

/** The layers that stayed float, gathered by the reason, the most frequent first. */
export function keptFloat(layers: readonly LayerReport[]): LayerGroup[] {
  const groups = new Map<string, LayerReport[]>();
  for (const layer of layers.filter(isKeptFloat)) {
    // reasons may carry figures of the layer after a colon: "slower quantized than float on ort-web: 0.21 ms against
    // 0.13 ms"
    const why = layer.why.split(": ")[0];
    groups.set(why, [...(groups.get(why) ?? []), layer]);
  }
  return [...groups]
    .map(([why, members]) => ({ why, layers: members }))
    .sort((a, b) => b.layers.length - a.layers.length);
}
