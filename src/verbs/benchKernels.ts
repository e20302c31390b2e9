import { throwIfAborted } from "#base/interrupt";
import type { JobOptions } from "#base/progress";
import { benchBytes, type KernelBench, kernelBenches } from "#kernels/benches";
import { availableVariants, createKernels, type Variant } from "#kernels/kernels";
import type { KernelBenchReport, KernelRates } from "#report/kernelBench";
import type { Environment } from "#verbs/environment";
import { platformOf } from "#verbs/platform";

export interface BenchKernelsOptions extends JobOptions {
  /** Only kernels whose name contains this. Default: all. */
  readonly only?: string;
  /** Milliseconds of a turn, at least. Default 5: a table in about 20 s. */
  readonly turnMs?: number;
}

/** Turns each variant gets, one after another, so that what disturbs the machine disturbs all of them. */
const rounds = 9;

/** Times every kernel in every variant that works here, on one thread. */
export async function benchKernels(
  { now, processor, tool }: Pick<Environment, "now" | "processor" | "tool">,
  { only = "", turnMs = 5, onProgress, signal }: BenchKernelsOptions = {},
): Promise<KernelBenchReport> {
  const variants = availableVariants();
  const benches = kernelBenches.filter(({ kernel }) => kernel.includes(only));
  const kernels: KernelRates[] = [];
  for (const [done, bench] of benches.entries()) {
    onProgress?.({ stage: bench.kernel, done, total: benches.length });
    kernels.push(await timed(bench, variants, now, turnMs, signal));
  }
  const platform = platformOf(processor);
  return { version: 1, tool, label: "measured", platform, threads: 1, rounds, variants, kernels };
}

async function timed(
  bench: KernelBench,
  variants: readonly Variant[],
  now: () => number,
  turnMs: number,
  signal: AbortSignal | undefined,
): Promise<KernelRates> {
  const { kernel, title, unit, amount } = bench;
  const works = variants.map((variant) => bench.prepare(createKernels({ variant, bytes: benchBytes })));
  const times: number[][] = variants.map(() => []);
  // the first turn is not counted: engines compile WebAssembly well only as it runs
  for (let round = -1; round < rounds; round++) {
    for (const [i, work] of works.entries()) {
      throwIfAborted(signal);
      let runs = 0;
      const start = now();
      let taken: number;
      do {
        work();
        runs++;
        taken = now() - start;
      } while (taken < turnMs);
      if (round >= 0) times[i].push(taken / runs);
    }
    // a chance to stop, and for the engine to bring in what it compiled
    await new Promise((resolve) => setTimeout(resolve));
  }
  const reference = times[variants.indexOf("reference")];
  const rates = variants.map((variant, i) => ({
    variant,
    rate: rounded(amount / 1e6 / median(times[i])),
    ratio: rounded(median(times[i].map((ms, round) => reference[round] / ms))),
  }));
  return { kernel, title, unit, rates };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
