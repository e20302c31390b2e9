import { sizeByLayer } from "#report/charts/sizeByLayer";
import type { LedgerRow } from "#report/types";
import { fixtureReport } from "../report/fixtureReport";
import { hostileNames } from "./hostile";

const { ledger } = fixtureReport.size;
const row = (tensor: string, floatBytes: number, bytes: number): LedgerRow => ({
  tensor,
  shape: [floatBytes / 4],
  scheme: "int8/channel",
  bytes,
  floatBytes,
  entropyCodedBytes: bytes,
});

export const mobileNet = () => sizeByLayer(ledger);
export const phone = () => sizeByLayer(ledger, { width: 360 });
export const empty = () => sizeByLayer([]);
export const oneRow = () => sizeByLayer([row("fc.weight", 4096, 1088)]);
export const twoHundredRows = () =>
  sizeByLayer(Array.from({ length: 200 }, (_, i) => row(`blk.${i}.attn_q.weight`, 4 * (i + 1) ** 2, (i + 1) ** 2)));
export const grown = () => sizeByLayer([row("tied.weight", 1_000_000, 1_250_000), row("fc.weight", 800_000, 201_000)]);
export const hostileTensors = () =>
  sizeByLayer(hostileNames.map((name, i) => row(name, 4000 * (i + 1), 1000 * (i + 1))));
