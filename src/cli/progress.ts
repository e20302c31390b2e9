import type { JobOptions, ProgressEvent } from "#node";

/** A line on the terminal that is written over: stage, bar, count, time left. Nothing where stderr is no terminal. */
export function progressLine(stream: Pick<NodeJS.WriteStream, "isTTY" | "write">): {
  readonly onProgress: (event: ProgressEvent) => void;
  readonly clear: () => void;
} {
  let stage = "";
  let started = 0;
  let drawn = Number.NEGATIVE_INFINITY;
  return {
    clear: () => {
      if (stream.isTTY && stage !== "") stream.write("\r\u001b[K");
    },
    onProgress: (event) => {
      const now = performance.now();
      if (event.stage !== stage) {
        stage = event.stage;
        started = now;
      }
      // ten lines a second are plenty
      if (!stream.isTTY || (now - drawn < 100 && event.done < event.total)) return;
      drawn = now;
      stream.write(`\r\u001b[K${progressText(event, now - started)}`);
    },
  };
}

/** → "calibrate      ███████░░░ 70/100  2 s left" */
export function progressText({ stage, done, total, note }: ProgressEvent, elapsedMs: number): string {
  if (total <= 0) return stage;
  const filled = Math.floor((10 * done) / total);
  const left = done === 0 ? 0 : (elapsedMs / done) * (total - done);
  const time = left < 90_000 ? `${Math.ceil(left / 1000)} s` : `${Math.ceil(left / 60_000)} min`;
  const bar = `${"█".repeat(filled)}${"░".repeat(10 - filled)}`;
  return `${stage.padEnd(14)} ${bar} ${done}/${total}${left < 500 ? "" : `  ${time} left`}${note === undefined ? "" : `  ${note}`}`;
}

/**
 * Progress on the terminal unless quiet, and Ctrl-C as an abort: what runs is ended, and nothing is written. A second Ctrl-C does not
 * wait for that.
 */
export async function watched<T>(quiet: boolean, work: (job: JobOptions) => Promise<T>): Promise<T> {
  const { onProgress, clear } = progressLine(process.stderr);
  const controller = new AbortController();
  const stop = (): void => {
    clear();
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  for (const signal of signals) process.on(signal, stop);
  try {
    return await work({ signal: controller.signal, ...(quiet ? {} : { onProgress }) });
  } finally {
    clear();
    for (const signal of signals) process.off(signal, stop);
  }
}

const signals = ["SIGINT", "SIGTERM"] as const;
