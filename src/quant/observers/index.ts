import { aciq } from "#quant/observers/aciq";
import { average } from "#quant/observers/average";
import { entropy } from "#quant/observers/entropy";
import { minMax } from "#quant/observers/minMax";
import { mse } from "#quant/observers/mse";
import { octav } from "#quant/observers/octav";
import { percentile } from "#quant/observers/percentile";
import type { Observer } from "#quant/observers/types";
import type { RangeRule } from "#quant/scheme";

/** Every range rule of a scheme, by the name it has on the command line. */
export const observers = { minmax: minMax, average, percentile, mse, entropy, aciq, octav } satisfies Record<
  RangeRule["by"],
  Observer
>;
