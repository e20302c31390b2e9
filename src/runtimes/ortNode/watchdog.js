/**
 * The watch beside a child process: a thread that looks every few milliseconds whether the process took too much memory or
 * lost its parent. Either ends it at once. It lives in the child because there it works wherever Node does, while a model
 * blocks the child's own thread, and while the parent is busy or gone.
 */
import { rmSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** Milliseconds between looks. Memory is touched at some 2 to 4 GB/s, so a bomb gets 40 MB past its limit; a look takes 15 µs. */
const everyMs = 10;

/** @type {{ limit: Float64Array, parent: number, scratch: string }} */
const { limit, parent, scratch } = workerData;
const never = new Int32Array(new SharedArrayBuffer(4));
parentPort?.postMessage("watching", []);

for (;;) {
  Atomics.wait(never, 0, 0, everyMs);
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
