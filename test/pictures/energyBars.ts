import { energyBars } from "#report/charts/energyBars";
import { fixtureReport } from "../report/fixtureReport";
import { hostileNames } from "./hostile";

const energy = fixtureReport.energy!;

export const int8 = () => energyBars(energy);
export const phone = () => energyBars(energy, { width: 360 });
export const more = () => energyBars({ ...energy, quantizedMilliJoule: 0.00421, floatMilliJoule: 0.0031 });
export const nothing = () => energyBars({ ...energy, floatMilliJoule: 0, quantizedMilliJoule: 0 });
export const hostileModel = () => energyBars({ ...energy, model: hostileNames[0], floatMilliJoule: Number.NaN });
