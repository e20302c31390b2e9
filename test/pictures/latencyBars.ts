import { latencyBars } from "#report/charts/latencyBars";
import { fixtureReport } from "../report/fixtureReport";
import { hostileNames } from "./hostile";

const { layers } = fixtureReport;
const speed = fixtureReport.speed!;

export const withLayers = () => latencyBars(speed, layers);
export const phone = () => latencyBars(speed, layers, { width: 360 });
export const wholeModel = () => latencyBars(speed);
export const slower = () => latencyBars({ ...speed, quantizedMs: 101.7, speedup: 38.62 / 101.7, threads: 4 });
export const oneLayer = () => latencyBars(speed, layers.slice(0, 1));
export const brokenClock = () =>
  latencyBars({ ...speed, floatMs: Number.NaN, quantizedMs: 0, speedup: Number.POSITIVE_INFINITY });
export const hostileLayers = () =>
  latencyBars(
    speed,
    hostileNames.map((name, i) => ({ ...layers[i], name })),
    { top: 12 },
  );
