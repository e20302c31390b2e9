import { LowbitError } from "#base/errors";

/** Throws when the job was asked to stop; called between steps so that a stop leaves nothing half done. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw signal.reason instanceof LowbitError
    ? signal.reason
    : new LowbitError("run/interrupted", "stopped before the work was done; nothing was written");
}
