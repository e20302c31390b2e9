import { LowbitError } from "#base/errors";

/** Throws when the job was asked to stop; called between steps so that a stop leaves nothing half done. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw interruption(signal);
}

/** The error of a job that was asked to stop: the one given to `abort`, if it is ours. */
export function interruption(signal: AbortSignal): LowbitError {
  return signal.reason instanceof LowbitError
    ? signal.reason
    : new LowbitError("run/interrupted", "stopped before the work was done; nothing was written");
}
