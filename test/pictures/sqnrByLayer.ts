import { sqnrByLayer } from "#report/charts/sqnrByLayer";
import type { LayerReport } from "#report/types";
import { fixtureReport } from "../report/fixtureReport";
import { hostileNames } from "./hostile";

const { layers } = fixtureReport;
const layer = (name: string, sqnrDb: number | null, weights = "int8/channel"): LayerReport => ({
  name,
  op: "MatMul",
  weights,
  activations: "uint8",
  sqnrDb,
  why: "recipe w8a8",
});

export const mobileNet = () => sqnrByLayer(layers);
export const phone = () => sqnrByLayer(layers, { width: 360 });
export const empty = () => sqnrByLayer([]);
export const oneLayer = () => sqnrByLayer([layer("fc", 31.2)]);
export const twoHundredLayers = () =>
  sqnrByLayer(Array.from({ length: 200 }, (_, i) => layer(`blk.${i}.ffn_down`, 30 - 0.08 * i + ((i * 37) % 11) / 2)));
export const twoThousandLayers = () =>
  sqnrByLayer(
    Array.from({ length: 2000 }, (_, i) => layer(`blk.${i}.ffn_down`, i === 1234 ? 3 : 30 + ((i * 37) % 11) / 2)),
  );
export const infinities = () =>
  sqnrByLayer([
    layer("exact", Number.POSITIVE_INFINITY, "float32"),
    layer("fine", 34),
    layer("nothing.left", Number.NEGATIVE_INFINITY),
    layer("add", 29, ""),
    layer("not.a.number", Number.NaN),
    layer("worse.than.nothing", -6.2),
    layer("unmeasured", null),
  ]);
export const hostileLayers = () => sqnrByLayer(hostileNames.map((name, i) => layer(name, 4 + 3 * i)));
