/**
 * The watch beside a child process: a thread that sleeps while the child is idle, and while it is busy looks every few
 * milliseconds whether it took too much memory or lost its parent. Either ends the process at once. It lives in the child
 * because there it works wherever Node does, and while the parent itself is busy or gone.
 */
import { rmSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** Milliseconds between looks. Memory is touched at some 2 to 4 GB/s, so a bomb gets 40 MB past its limit; a look takes 10 µs. */
const everyMs = 10;

/** @type {{ limit: Float64Array, busy: Int32Array, parent: number, scratch: string }} */
const { limit, busy, parent, scratch } = workerData;
parentPort?.postMessage("watching", []);

for (;;) {
  Atomics.wait(busy, 0, 0); // idle: until woken
  Atomics.wait(busy, 0, 1, everyMs); // busy: a nap, shorter when the work ends
  const resident = process.memoryUsage.rss();
  if (limit[0] > 0 && resident > limit[0]) {
    writeSync(2, `\nlowbit: over memory ${resident}\n`);
    process.kill(process.pid, "SIGKILL");
  }
  // POSIX gives an orphan another parent. On Windows libuv's job object ends children with their parent.
  if (process.platform !== "win32" && process.ppid !== parent) {
    rmSync(scratch, { recursive: true, force: true });
    process.kill(process.pid, "SIGKILL");
  }
}
